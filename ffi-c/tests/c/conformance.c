/* Runs every case of conformance/, whose README.md says how; the environment variable CONFORMANCE names that folder. */
#include "harness.h"

#include <jansson.h>
#include <unistd.h>

static void append(char **text, size_t *length, const json_t *string, size_t repetitions) {
    size_t piece = json_string_length(string);
    *text = realloc(*text, *length + piece * repetitions + 1);
    for (; repetitions > 0; repetitions--, *length += piece)
        memcpy(*text + *length, json_string_value(string), piece);
}

/* The token of a case: a string, or a list of parts and [part, repetitions]. */
static char *token(const json_t *value, size_t *length) {
    char *text = malloc(1);
    *length = 0;
    if (json_is_string(value))
        append(&text, length, value, 1);
    size_t i;
    const json_t *part;
    json_array_foreach(value, i, part) {
        if (json_is_string(part))
            append(&text, length, part, 1);
        else
            append(&text, length, json_array_get(part, 0), (size_t)json_integer_value(json_array_get(part, 1)));
    }
    return text;
}

/* Integers that no long long holds become floating point, on both sides of a comparison. */
static json_t *parse(const char *text) {
    json_error_t error;
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!value && json_error_code(&error) == json_error_numeric_overflow)
        value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    CHECK(value != NULL, "%s in %.200s", error.text, text);
    return value;
}

static bool same(const char *text, const char *expect, const char *name) {
    char *expected = pomerium_jwt_get(expect, name);
    json_t *one = parse(text), *other = parse(expected ? expected : "");
    bool equal = json_equal(one, other);
    json_decref(one);
    json_decref(other);
    pomerium_jwt_string_free(expected);
    return equal;
}

static bool as_expected(int32_t code, const char *output, const char *claims, const char *expect) {
    char *name = pomerium_jwt_get(expect, "code"), *part = pomerium_jwt_get(expect, "message");
    bool good;
    if (name)
        good = strcmp(pomerium_jwt_code_name(code), name) == 0 && !claims && (!part || strstr(output, part));
    else
        good = code == 0 && same(output, expect, "identity") && same(claims, expect, "claims");
    pomerium_jwt_string_free(name);
    pomerium_jwt_string_free(part);
    return good;
}

static void run_case(const char *line) {
    json_t *row = parse(line), *text = json_object_get(row, "token");
    /* As they are written, not as a reader of numbers would write them again */
    char *options = pomerium_jwt_get(line, "options"), *expect = pomerium_jwt_get(line, "expect");
    pomerium_jwt_verifier *verifier = NULL;
    char *output = NULL, *claims = NULL;
    int32_t code = pomerium_jwt_verifier_new(options, strlen(options), &verifier, &output);
    if (code == 0 && text) {
        size_t length;
        char *bytes = token(text, &length);
        int64_t now = (int64_t)json_number_value(json_object_get(row, "now"));
        code = pomerium_jwt_verify_at(verifier, bytes, length, now, &output, &claims);
        free(bytes);
    }
    CHECK(as_expected(code, output, claims, expect), "case %s: %s: %s", json_string_value(json_object_get(row, "id")),
          pomerium_jwt_code_name(code), output ? output : "(no text)");
    pomerium_jwt_verifier_free(verifier);
    pomerium_jwt_string_free(output);
    pomerium_jwt_string_free(claims);
    pomerium_jwt_string_free(options);
    pomerium_jwt_string_free(expect);
    json_decref(row);
}

static bool flag(const json_t *facts, const char *name) {
    return json_is_true(json_object_get(facts, name));
}

/* What one route demands in addition, as an application in C writes it. */
static int32_t demand(int32_t code, const char *identity, const json_t *wanted) {
    const json_t *groups = json_object_get(wanted, "groups");
    if (code > 0 || !wanted)
        return code;
    if (groups && json_array_size(groups) == 0)
        return POMERIUM_JWT_INVALID_ARGUMENT;
    if (code == POMERIUM_JWT_PASSED)
        return POMERIUM_JWT_TOKEN_MISSING;
    char *subject = pomerium_jwt_get(identity, "subject");
    bool member = !groups, user = subject && subject[0];
    pomerium_jwt_string_free(subject);
    size_t i;
    const json_t *group;
    json_array_foreach(groups, i, group)
        member |= pomerium_jwt_in_group(identity, json_string_value(group)) == 1;
    return !user ? POMERIUM_JWT_SUBJECT_MISSING : member ? 0 : POMERIUM_JWT_GROUP_REQUIRED;
}

/* The members of a response that a case names; those of a demand are made from the code. */
static bool is_response(int32_t code, const char *output, const char *expect) {
    char *name = pomerium_jwt_get(expect, "code"), *headers = output ? pomerium_jwt_get(output, "headers") : NULL;
    char *expected = pomerium_jwt_get(expect, "headers"), *body = pomerium_jwt_get(expect, "body");
    char *got = output ? pomerium_jwt_get(output, "body") : NULL;
    bool good = name && strcmp(name, pomerium_jwt_code_name(code)) == 0 &&
                (!body || number(expect, "status") == pomerium_jwt_code_status(code));
    if (good && output && body) {
        json_t *one = parse(headers), *other = parse(expected);
        good = json_equal(one, other) && strcmp(got, body) == 0;
        json_decref(one);
        json_decref(other);
    }
    char *const texts[] = {name, headers, expected, body, got};
    for (size_t i = 0; i < 5; i++)
        pomerium_jwt_string_free(texts[i]);
    return good;
}

static void run_request(const char *line) {
    json_t *row = parse(line), *facts = json_object_get(row, "request"), *wanted = json_object_get(row, "demand");
    char *options = pomerium_jwt_get(line, "options"), *with = pomerium_jwt_get(line, "with");
    char *expect = pomerium_jwt_get(line, "expect"), *output = NULL, *claims = NULL;
    pomerium_jwt_verifier *base = NULL, *verifier = NULL;
    int32_t code = pomerium_jwt_verifier_new(options, strlen(options), &base, &output);
    if (code == 0)
        code = pomerium_jwt_verifier_with(base, with ? with : "{}", with ? strlen(with) : 2, &verifier, &output);
    bool good;
    if (code != 0 || !facts) {
        char *part = pomerium_jwt_get(expect, "message");
        good = code > 0 && !facts && is_response(code, NULL, expect) && part && strstr(output, part);
        pomerium_jwt_string_free(part);
    } else {
        size_t length;
        char *bytes = token(json_object_get(facts, "token"), &length);
        const json_t *path = json_object_get(facts, "path");
        int32_t flags = (flag(facts, "upgrade") ? POMERIUM_JWT_UPGRADE : 0) |
                        (flag(facts, "marked_public") ? POMERIUM_JWT_MARKED_PUBLIC : 0);
        code = pomerium_jwt_admit(verifier, bytes, length, json_string_value(path), json_string_length(path), flags, NULL,
                                  &output, &claims);
        int32_t demanded = demand(code, output, wanted);
        if (demanded > 0)
            good = is_response(demanded, code > 0 ? output : NULL, expect);
        else if (code == POMERIUM_JWT_PASSED)
            good = json_is_true(json_object_get(json_object_get(row, "expect"), "passed")) && !output && !claims;
        else
            good = same(output, expect, "identity");
        code = demanded;
        free(bytes);
    }
    CHECK(good, "case %s: %s: %s", json_string_value(json_object_get(row, "id")), pomerium_jwt_code_name(code),
          output ? output : "(no text)");
    pomerium_jwt_verifier_free(verifier);
    pomerium_jwt_verifier_free(base);
    char *const texts[] = {options, with, expect, output, claims};
    for (size_t i = 0; i < 5; i++)
        pomerium_jwt_string_free(texts[i]);
    json_decref(row);
}

/* An array with one case a line. */
static int run_cases(const char *name, void (*run_line)(const char *)) {
    FILE *file = fopen(name, "r");
    if (!CHECK(file != NULL, "no file %s", name))
        return 0;
    int count = 0;
    size_t room = 0;
    char *line = NULL;
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        size_t length = strlen(line);
        if (line[0] != '{')
            continue;
        if (line[length - 1] == ',')
            line[length - 1] = '\0';
        run_line(line);
        count++;
    }
    free(line);
    fclose(file);
    return count;
}

struct row find_case(const char *id) {
    struct row found = {NULL, NULL, 0};
    json_error_t error;
    char *path = printed("%s/cases.json", getenv("CONFORMANCE"));
    json_t *cases = json_load_file(path, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error), *row;
    size_t i;
    json_array_foreach(cases, i, row)
        if (strcmp(json_string_value(json_object_get(row, "id")), id) == 0) {
            found.options = json_dumps(json_object_get(row, "options"), 0);
            found.token = token(json_object_get(row, "token"), &found.length);
        }
    CHECK(found.token != NULL, "no case %s: %s", id, error.text);
    json_decref(cases);
    free(path);
    return found;
}

static void every_case_has_its_outcome(void) {
    if (CHECK(chdir(getenv("CONFORMANCE")) == 0, "no folder CONFORMANCE"))
        printf("conformance: %d cases\n", run_cases("cases.json", run_case) + run_cases("genuine.json", run_case));
    printf("requests: %d cases\n", run_cases("requests.json", run_request));
}

static void every_code_has_its_name_and_kind(void) {
    json_error_t error;
    json_t *codes = json_load_file("codes.json", JSON_REJECT_DUPLICATES, &error);
    CHECK(codes != NULL, "codes.json: %s", error.text);
    const char *const kinds[] = {"", "options", "token", "keys", "internal", "access"};
    size_t i;
    const json_t *row;
    json_array_foreach(codes, i, row) {
        const char *name = json_string_value(json_object_get(row, "code"));
        int32_t code = (int32_t)json_integer_value(json_object_get(row, "number"));
        CHECK(strcmp(pomerium_jwt_code_name(code), name) == 0, "%d is %s", code, name);
        const char *kind = json_string_value(json_object_get(row, "kind"));
        CHECK(strcmp(kinds[pomerium_jwt_code_kind(code)], kind) == 0, "%s is of the kind %s", name, kind);
    }
    CHECK(i > 0, "no code in codes.json");
    json_decref(codes);
}

void conformance(void) {
    TEST(every_case_has_its_outcome);
    TEST(every_code_has_its_name_and_kind);
}
