/* Bad input to every function gives the documented code; every out-pointer is written on every path. */
#include "harness.h"

/* The network is never asked here: nothing listens on port 1. */
static const char *const UNREACHABLE = "{\"route\":\"http://127.0.0.1:1\",\"timeout\":1}";

typedef int32_t constructor(const char *, size_t, pomerium_jwt_verifier **, char **);

static int32_t construct_shared(const char *options, size_t len, pomerium_jwt_verifier **verifier, char **message) {
    return pomerium_jwt_verifier_shared(options, len, (const pomerium_jwt_verifier **)verifier, message);
}

static void constructors(void) {
    constructor *const ways[] = {pomerium_jwt_verifier_new, construct_shared};
    const struct {
        const char *note;
        const char *options;
        size_t len;
        int32_t code;
    } rows[] = {
        {"the empty text", NULL, 0, POMERIUM_JWT_INVALID_OPTIONS},
        {"an empty text", "", 0, POMERIUM_JWT_INVALID_OPTIONS},
        {"NULL with a length", NULL, 1, POMERIUM_JWT_INVALID_ARGUMENT},
        {"a negative length", "{}", SIZE_MAX, POMERIUM_JWT_INVALID_ARGUMENT},
        {"the first length too large", "{}", SIZE_MAX / 2 + 1, POMERIUM_JWT_INVALID_ARGUMENT},
        {"nothing to check against", "{}", 2, POMERIUM_JWT_INVALID_OPTIONS},
        {"a NUL after the object", "{}", 3, POMERIUM_JWT_INVALID_OPTIONS},
        {"a NUL inside", "{\"route\0\":1}", 12, POMERIUM_JWT_INVALID_OPTIONS},
        {"no UTF-8", "{\"\xff\":1}", 7, POMERIUM_JWT_INVALID_OPTIONS},
        {"an unknown option", "{\"rout\":1}", 10, POMERIUM_JWT_INVALID_OPTIONS},
        {"good", GOOD_OPTIONS, strlen(GOOD_OPTIONS), 0},
    };
    for (size_t way = 0; way < 2; way++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            pomerium_jwt_verifier *verifier = (pomerium_jwt_verifier *)POISON;
            char *message = POISON;
            int32_t code = ways[way](rows[i].options, rows[i].len, &verifier, &message);
            CHECK(code == rows[i].code, "%s: %d, expected %d", rows[i].note, code, rows[i].code);
            CHECK((verifier != NULL) == (code == 0), "%s: the verifier", rows[i].note);
            CHECK((message != NULL) == (code != 0), "%s: the message", rows[i].note);
            pomerium_jwt_verifier_free(verifier);
            pomerium_jwt_string_free(message);

            message = POISON;
            code = ways[way](rows[i].options, rows[i].len, NULL, &message);
            CHECK(code == rows[i].code, "%s: without a verifier the options are checked all the same", rows[i].note);
            pomerium_jwt_string_free(message);
            CHECK(ways[way](rows[i].options, rows[i].len, NULL, NULL) == rows[i].code, "%s: nothing wanted", rows[i].note);
        }
}

static void environment(void) {
    char *options = POISON, *message = POISON;
    setenv("POMERIUM_JWT_ROUTE", "https://app.example.com", 1);
    setenv("POMERIUM_JWT_LEEWAY", "5", 1);
    CHECK(pomerium_jwt_options_from_env(&options, &message) == 0 && !message, "%s", message ? message : "");
    CHECK(number(options, "leeway") == 5, "leeway of %s", options);
    pomerium_jwt_verifier_free(new_verifier(options));
    pomerium_jwt_string_free(options);
    CHECK(pomerium_jwt_options_from_env(NULL, NULL) == 0, "nothing wanted");

    options = POISON;
    setenv("POMERIUM_JWT_LEEWAY", "soon", 1);
    CHECK(pomerium_jwt_options_from_env(&options, &message) == POMERIUM_JWT_INVALID_OPTIONS, "leeway is soon");
    CHECK(!options && message && strstr(message, "POMERIUM_JWT_LEEWAY"), "the message names the variable");
    pomerium_jwt_string_free(message);
    CHECK(pomerium_jwt_options_from_env(NULL, NULL) == POMERIUM_JWT_INVALID_OPTIONS, "nothing wanted");
    unsetenv("POMERIUM_JWT_LEEWAY");

    /* Code over the environment: a warning names what it overrides, and is NULL if that is nothing */
    const struct {
        const char *code;
        const char *merged;
        const char *warning;
    } rows[] = {
        {"{}", "{\"route\":[\"https://app.example.com\"]}", NULL},
        {"{\"leeway\":7}", "{\"leeway\":7,\"route\":[\"https://app.example.com\"]}", NULL},
        {"{\"route\":\"https://b.example\"}", "{\"route\":[\"https://b.example\"]}", "POMERIUM_JWT_ROUTE"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *merged = POISON, *warning = POISON;
        int32_t code = pomerium_jwt_options_over_env(rows[i].code, strlen(rows[i].code), &merged, &warning);
        CHECK(code == 0 && merged && strcmp(merged, rows[i].merged) == 0, "%s: %s", rows[i].code, merged ? merged : warning);
        CHECK(rows[i].warning ? warning && strstr(warning, rows[i].warning) : !warning, "%s: the warning", rows[i].code);
        pomerium_jwt_string_free(merged);
        pomerium_jwt_string_free(warning);
    }
    setenv("POMERIUM_JWT_ROUT", "secret", 1);
    options = POISON;
    CHECK(pomerium_jwt_options_over_env("{}", 2, &options, &message) == POMERIUM_JWT_INVALID_OPTIONS, "a misspelt variable");
    CHECK(!options && message && strstr(message, "POMERIUM_JWT_ROUT\"") && !strstr(message, "secret"), "%s", message);
    pomerium_jwt_string_free(message);
    CHECK(pomerium_jwt_options_over_env(NULL, 1, NULL, NULL) == POMERIUM_JWT_INVALID_ARGUMENT, "NULL with a length");

    /* The same with variables of the caller's: the process's do not count */
    const char *variables = "{\"PATH\":\"/bin\",\"POMERIUM_JWT_ROUTE\":\"https://c.example\"}";
    char *merged = POISON, *warning = POISON;
    CHECK(pomerium_jwt_options_over_variables("{\"leeway\":7}", 12, variables, strlen(variables), &merged, &warning) == 0 &&
              merged && strcmp(merged, "{\"leeway\":7,\"route\":[\"https://c.example\"]}") == 0 && !warning,
          "%s", merged ? merged : warning);
    pomerium_jwt_string_free(merged);
    CHECK(pomerium_jwt_options_over_variables("{}", 2, "{\"POMERIUM_JWT_X\":\"\"}", 21, &merged, &warning) ==
                  POMERIUM_JWT_INVALID_OPTIONS &&
              !merged && warning,
          "a misspelt variable of the caller's");
    pomerium_jwt_string_free(warning);
    CHECK(pomerium_jwt_options_over_variables("{}", 2, "{\"A\":1}", 7, &merged, NULL) == POMERIUM_JWT_INVALID_ARGUMENT && !merged,
          "a number as a variable");
    CHECK(pomerium_jwt_options_over_variables("{}", 2, NULL, 1, NULL, NULL) == POMERIUM_JWT_INVALID_ARGUMENT, "NULL with a length");
    unsetenv("POMERIUM_JWT_ROUT");
    unsetenv("POMERIUM_JWT_ROUTE");
}

/* What each way to verify does with its pointers. */
static struct answer call(int way, const pomerium_jwt_verifier *verifier, const char *token, size_t len) {
    struct answer answer = {0, POISON, POISON};
    int64_t ticket = 0;
    if (way == 0)
        answer.code = pomerium_jwt_verify(verifier, token, len, &answer.output, &answer.claims);
    else if (way == 1)
        answer.code = pomerium_jwt_verify_at(verifier, token, len, GOOD_TIME, &answer.output, &answer.claims);
    else
        answer.code = pomerium_jwt_verify_cached(verifier, token, len, &ticket, &answer.output, &answer.claims);
    CHECK(ticket == 0, "static keys need no ticket");
    return answer;
}

static void tokens(void) {
    enum { MANY = 10 * 1000 * 1000 };
    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS);
    char *many = malloc(MANY);
    memset(many, 'A', MANY);
    const struct {
        const char *token;
        size_t len;
        int32_t code;
    } rows[] = {
        {NULL, 0, POMERIUM_JWT_TOKEN_MISSING},
        {"", 0, POMERIUM_JWT_TOKEN_MISSING},
        {NULL, 1, POMERIUM_JWT_INVALID_ARGUMENT},
        {"a", SIZE_MAX, POMERIUM_JWT_INVALID_ARGUMENT},
        {"\0", 1, POMERIUM_JWT_TOKEN_MALFORMED},
        {"a\0b", 3, POMERIUM_JWT_TOKEN_MALFORMED},
        {GOOD_TOKEN, strlen(GOOD_TOKEN) + 1, POMERIUM_JWT_TOKEN_MALFORMED},
        {"\xff\xfe.a.b", 6, POMERIUM_JWT_TOKEN_MALFORMED},
        {"a,b", 3, POMERIUM_JWT_TOKEN_REPEATED},
        {many, MANY, POMERIUM_JWT_TOKEN_TOO_LARGE},
    };
    for (int way = 0; way < 3; way++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            bool good = EXPECT(call(way, verifier, rows[i].token, rows[i].len), rows[i].code);
            CHECK(good, "that was row %zu, way %d", i, way);
        }
        EXPECT(call(way, NULL, GOOD_TOKEN, strlen(GOOD_TOKEN)), POMERIUM_JWT_INVALID_ARGUMENT);
        EXPECT(call(way, NULL, NULL, 0), POMERIUM_JWT_INVALID_ARGUMENT);
    }
    free(many);
    pomerium_jwt_verifier_free(verifier);
}

static void one_output_or_none(void) {
    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS);
    const struct {
        const char *token;
        int32_t code;
    } rows[] = {{GOOD_TOKEN, 0}, {"a.b", POMERIUM_JWT_TOKEN_MALFORMED}};
    for (size_t i = 0; i < 2; i++) {
        const char *token = rows[i].token;
        size_t len = strlen(token);
        char *output = POISON, *claims = POISON;
        CHECK(pomerium_jwt_verify_at(verifier, token, len, GOOD_TIME, &output, NULL) == rows[i].code, "output only");
        CHECK(output && output != POISON, "output only");
        pomerium_jwt_string_free(output);
        CHECK(pomerium_jwt_verify_at(verifier, token, len, GOOD_TIME, NULL, &claims) == rows[i].code, "claims only");
        CHECK((claims != NULL) == (rows[i].code == 0), "claims only");
        pomerium_jwt_string_free(claims);
        CHECK(pomerium_jwt_verify_at(verifier, token, len, GOOD_TIME, NULL, NULL) == rows[i].code, "neither");
    }
    CHECK(pomerium_jwt_verify(NULL, NULL, 0, NULL, NULL) == POMERIUM_JWT_INVALID_ARGUMENT, "no verifier, neither");
    CHECK(pomerium_jwt_verify_cached(NULL, NULL, 0, NULL, NULL, NULL) == POMERIUM_JWT_INVALID_ARGUMENT, "nothing");
    pomerium_jwt_verifier_free(verifier);
}

static void times(void) {
    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS);
    EXPECT(verify(verifier, GOOD_TOKEN, INT64_MIN), POMERIUM_JWT_INVALID_ARGUMENT);
    EXPECT(verify(verifier, GOOD_TOKEN, -2), POMERIUM_JWT_INVALID_ARGUMENT);
    EXPECT(verify(verifier, GOOD_TOKEN, 0), POMERIUM_JWT_TOKEN_ISSUED_IN_FUTURE);
    EXPECT(verify(verifier, GOOD_TOKEN, (INT64_C(1) << 53) - 1), POMERIUM_JWT_TOKEN_EXPIRED);
    EXPECT(verify(verifier, GOOD_TOKEN, INT64_C(1) << 53), POMERIUM_JWT_INVALID_ARGUMENT);
    EXPECT(verify(verifier, GOOD_TOKEN, INT64_MAX), POMERIUM_JWT_INVALID_ARGUMENT);
    CHECK(pomerium_jwt_verify_at(verifier, GOOD_TOKEN, strlen(GOOD_TOKEN), -1, NULL, NULL) ==
              POMERIUM_JWT_INVALID_ARGUMENT, "-1");
    pomerium_jwt_verifier_free(verifier);
}

static struct answer cached(const pomerium_jwt_verifier *verifier, int64_t *ticket) {
    struct answer answer = {0, POISON, POISON};
    answer.code = pomerium_jwt_verify_cached(verifier, GOOD_TOKEN, strlen(GOOD_TOKEN), ticket, &answer.output, &answer.claims);
    return answer;
}

static void tickets(void) {
    pomerium_jwt_verifier *verifier = new_verifier(UNREACHABLE);
    EXPECT(cached(verifier, NULL), POMERIUM_JWT_KEYS_UNAVAILABLE);
    int64_t ticket = 0;
    EXPECT(cached(verifier, &ticket), POMERIUM_JWT_KEYS_NEEDED);
    CHECK(ticket != 0, "keys_needed writes the ticket");
    int64_t arrived = ticket;
    EXPECT(cached(verifier, &ticket), POMERIUM_JWT_KEYS_UNAVAILABLE);
    CHECK(ticket == arrived, "a ticket stays as it is");
    pomerium_jwt_verifier_free(verifier);
}

static void refreshing(void) {
    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS);
    const int32_t wrong[] = {2, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < 4; i++) {
        char *message = POISON;
        CHECK(pomerium_jwt_refresh(verifier, wrong[i], &message) == POMERIUM_JWT_INVALID_ARGUMENT, "force %d", wrong[i]);
        CHECK(message && message != POISON, "force %d: no message", wrong[i]);
        pomerium_jwt_string_free(message);
    }
    for (int32_t force = 0; force < 2; force++) {
        char *message = POISON;
        CHECK(pomerium_jwt_refresh(verifier, force, &message) == 0 && !message, "static keys, force %d", force);
        CHECK(pomerium_jwt_refresh(NULL, force, &message) == POMERIUM_JWT_INVALID_ARGUMENT && message, "no verifier");
        pomerium_jwt_string_free(message);
        CHECK(pomerium_jwt_refresh(NULL, force, NULL) == POMERIUM_JWT_INVALID_ARGUMENT, "no verifier, no message");
    }
    pomerium_jwt_verifier_free(verifier);

    verifier = new_verifier(UNREACHABLE);
    char *message = POISON;
    CHECK(pomerium_jwt_refresh(verifier, 1, &message) == POMERIUM_JWT_KEYS_UNAVAILABLE && message, "nobody listens");
    pomerium_jwt_string_free(message);
    pomerium_jwt_verifier_free(verifier);
}

static void states(void) {
    char *output = POISON;
    CHECK(pomerium_jwt_status(NULL, &output) == POMERIUM_JWT_INVALID_ARGUMENT && output && output[0] != '{', "NULL");
    pomerium_jwt_string_free(output);
    CHECK(pomerium_jwt_status(NULL, NULL) == POMERIUM_JWT_INVALID_ARGUMENT, "NULL, nothing wanted");

    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS);
    output = POISON;
    CHECK(pomerium_jwt_status(verifier, &output) == 0 && output && output[0] == '{', "status");
    char *state = pomerium_jwt_get(output, "state");
    CHECK(state && strcmp(state, "static") == 0, "state of %s", output);
    pomerium_jwt_string_free(state);
    pomerium_jwt_string_free(output);
    CHECK(pomerium_jwt_status(verifier, NULL) == 0, "nothing wanted");
    output = POISON;
    CHECK(pomerium_jwt_describe(verifier, &output) == 0 && output, "describe");
    CHECK(strstr(output, "\"header_name\":\"X-Pomerium-Jwt-Assertion\",\"summary\":\"accepts issuer"), "described as %s", output);
    pomerium_jwt_string_free(output);
    output = POISON;
    CHECK(pomerium_jwt_describe(NULL, &output) == POMERIUM_JWT_INVALID_ARGUMENT && output, "NULL");
    pomerium_jwt_string_free(output);
    CHECK(pomerium_jwt_describe(verifier, NULL) == 0, "nothing wanted");
    output = POISON;
    CHECK(pomerium_jwt_metrics(verifier, &output) == 0 && output, "metrics");
    CHECK(strstr(output, "pomerium_jwt_keys_state{state=\"static\"} 1\n"), "metrics are %s", output);
    pomerium_jwt_string_free(output);
    output = POISON;
    CHECK(pomerium_jwt_metrics(NULL, &output) == POMERIUM_JWT_INVALID_ARGUMENT && output, "NULL");
    pomerium_jwt_string_free(output);
    CHECK(pomerium_jwt_metrics(NULL, NULL) == POMERIUM_JWT_INVALID_ARGUMENT, "NULL, nothing wanted");
    CHECK(pomerium_jwt_metrics(verifier, NULL) == 0, "nothing wanted");
    pomerium_jwt_verifier_free(verifier);
}

static void members(void) {
    const struct {
        const char *object;
        const char *name;
        const char *expected;
    } rows[] = {
        {"{\"a\":\"x\"}", "a", "x"},
        {"{\"a\":\"\"}", "a", ""},
        {"{\"a\":\"\\u00e9\\n\\\"\\ud83d\\ude00\"}", "a", "\xc3\xa9\n\"\xf0\x9f\x98\x80"},
        {"{\"\\u0061\":\"escaped name\"}", "a", "escaped name"},
        {"{\"\":\"empty name\"}", "", "empty name"},
        {"{\"a\": [1, \"\\u0000\"] }", "a", "[1, \"\\u0000\"]"},
        {"{\"a\":{\"b\":null}}", "a", "{\"b\":null}"},
        {"{\"a\":123456789012345678901234567890.10}", "a", "123456789012345678901234567890.10"},
        {"{\"a\":true}", "a", "true"},
        {"{\"a\":\"null\"}", "a", "null"},
        {"{\"a\":null}", "a", NULL},
        {"{\"a\":\"x\\u0000y\"}", "a", NULL},
        {"{\"a\":\"\\ud800\"}", "a", NULL},
        {"{\"a\":1}", "b", NULL},
        {"{\"a\":1}", "", NULL},
        {"{\"b\":{\"a\":1}}", "a", NULL},
        {"[1]", "a", NULL},
        {"\"a\"", "a", NULL},
        {"{\"a\":1", "a", NULL},
        {"{\"a\":1} x", "a", NULL},
        {"{\"a\":\"\xff\"}", "a", NULL},
        {"{\"a\":1}", "\xff", NULL},
        {"a sentence", "a", NULL},
        {"", "a", NULL},
        {NULL, "a", NULL},
        {"{\"a\":1}", NULL, NULL},
        {NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *found = pomerium_jwt_get(rows[i].object, rows[i].name);
        bool same = found && rows[i].expected ? strcmp(found, rows[i].expected) == 0 : found == rows[i].expected;
        CHECK(same, "row %zu: %s, expected %s", i, found ? found : "NULL", rows[i].expected ? rows[i].expected : "NULL");
        pomerium_jwt_string_free(found);
    }

    enum { DEPTH = 1000 * 1000 };
    char *deep = malloc(2 * DEPTH + 8);
    memcpy(deep, "{\"a\":", 5);
    memset(deep + 5, '[', DEPTH);
    memset(deep + 5 + DEPTH, ']', DEPTH);
    memcpy(deep + 5 + 2 * DEPTH, "}", 2);
    char *found = pomerium_jwt_get(deep, "a");
    CHECK(found && strlen(found) == 2 * DEPTH, "a million brackets overflow no stack");
    pomerium_jwt_string_free(found);
    free(deep);
}

static void an_identity(void) {
    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS);
    struct answer answer = verify(verifier, GOOD_TOKEN, GOOD_TIME);
    char *email = pomerium_jwt_get(answer.output, "email");
    CHECK(email && strcmp(email, "alice@example.com") == 0, "email");
    CHECK(number(answer.output, "expires_at") == 1795354437, "expires_at");
    CHECK(number(answer.claims, "exp") == 1795354437, "exp");
    pomerium_jwt_string_free(email);
    EXPECT(answer, 0);
    pomerium_jwt_verifier_free(verifier);
}

static void numbers_and_names(void) {
    const struct {
        int32_t code;
        const char *name;
        int32_t kind;
        int32_t status;
    } rows[] = {
        {0, "ok", POMERIUM_JWT_KIND_OK, 200},
        {POMERIUM_JWT_PASSED, "passed", POMERIUM_JWT_KIND_OK, 200},
        {POMERIUM_JWT_INVALID_OPTIONS, "invalid_options", POMERIUM_JWT_KIND_OPTIONS, 500},
        {POMERIUM_JWT_TOKEN_MISSING, "token_missing", POMERIUM_JWT_KIND_TOKEN, 401},
        {POMERIUM_JWT_KEYS_NEEDED, "keys_needed", POMERIUM_JWT_KIND_KEYS, 503},
        {POMERIUM_JWT_GROUP_REQUIRED, "group_required", POMERIUM_JWT_KIND_ACCESS, 403},
        {POMERIUM_JWT_INTERNAL, "internal", POMERIUM_JWT_KIND_INTERNAL, 500},
        {3, "internal", POMERIUM_JWT_KIND_INTERNAL, 500},
        {-2, "internal", POMERIUM_JWT_KIND_INTERNAL, 500},
        {INT32_MIN, "internal", POMERIUM_JWT_KIND_INTERNAL, 500},
        {INT32_MAX, "internal", POMERIUM_JWT_KIND_INTERNAL, 500},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(strcmp(pomerium_jwt_code_name(rows[i].code), rows[i].name) == 0, "name of %d", rows[i].code);
        CHECK(pomerium_jwt_code_kind(rows[i].code) == rows[i].kind, "kind of %d", rows[i].code);
        CHECK(pomerium_jwt_code_status(rows[i].code) == rows[i].status, "status of %d", rows[i].code);
    }
    CHECK(pomerium_jwt_abi_version() == 1, "the ABI is version 1");
    CHECK(strcmp(pomerium_jwt_version(), getenv("VERSION")) == 0, "version %s", pomerium_jwt_version());
}

static void nothing_to_free(void) {
    pomerium_jwt_verifier_free(NULL);
    pomerium_jwt_string_free(NULL);
}

void arguments(void) {
    TEST(constructors);
    TEST(environment);
    TEST(tokens);
    TEST(one_output_or_none);
    TEST(times);
    TEST(tickets);
    TEST(refreshing);
    TEST(states);
    TEST(members);
    TEST(an_identity);
    TEST(numbers_and_names);
    TEST(nothing_to_free);
}
