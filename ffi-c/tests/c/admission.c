/* pomerium_jwt_admit and pomerium_jwt_verifier_with: pointers, flags and what each answer owns. The rules themselves are
 * requests.json's, in conformance.c. */
#include "harness.h"

#define EXEMPT "{\"exempt_paths\":[\"/health\"]}"

static pomerium_jwt_verifier *with(const pomerium_jwt_verifier *base, const char *options) {
    pomerium_jwt_verifier *verifier = (pomerium_jwt_verifier *)POISON;
    char *message = POISON;
    int32_t code = pomerium_jwt_verifier_with(base, options, strlen(options), &verifier, &message);
    CHECK(code == 0 && verifier && !message, "%s: %s", options, message ? message : "no message");
    return verifier;
}

/* The response to a refusal, or nothing at all. */
static void answers(void) {
    pomerium_jwt_verifier *base = new_verifier(GOOD_OPTIONS), *verifier = with(base, EXEMPT);
    const struct {
        const char *note;
        const pomerium_jwt_verifier *verifier;
        const char *token;
        size_t len;
        const char *path;
        size_t path_len;
        int32_t flags;
        int32_t code;
    } rows[] = {
        {"exempt", verifier, NULL, 0, "/health", 7, 0, POMERIUM_JWT_PASSED},
        {"an upgrade", verifier, NULL, 0, "/health", 7, POMERIUM_JWT_UPGRADE, POMERIUM_JWT_TOKEN_MISSING},
        {"longer by a NUL", verifier, NULL, 0, "/health", 8, 0, POMERIUM_JWT_TOKEN_MISSING},
        {"no path", verifier, NULL, 0, NULL, 0, 0, POMERIUM_JWT_TOKEN_MISSING},
        {"marked public", verifier, "", 0, "/x", 2, POMERIUM_JWT_MARKED_PUBLIC, POMERIUM_JWT_PASSED},
        {"both flags", verifier, "", 0, "/x", 2, POMERIUM_JWT_MARKED_PUBLIC | POMERIUM_JWT_UPGRADE, POMERIUM_JWT_TOKEN_MISSING},
        {"expired", verifier, GOOD_TOKEN, strlen(GOOD_TOKEN), "/x", 2, 0, POMERIUM_JWT_TOKEN_EXPIRED},
        {"the base is as it was", base, NULL, 0, "/health", 7, 0, POMERIUM_JWT_TOKEN_MISSING},
        {"an unknown flag", verifier, NULL, 0, "/health", 7, 4, POMERIUM_JWT_INVALID_ARGUMENT},
        {"a negative flag", verifier, NULL, 0, "/health", 7, INT32_MIN, POMERIUM_JWT_INVALID_ARGUMENT},
        {"all flags", verifier, NULL, 0, "/health", 7, -1, POMERIUM_JWT_INVALID_ARGUMENT},
        {"a token of NULL with a length", verifier, NULL, 1, "/health", 7, 0, POMERIUM_JWT_INVALID_ARGUMENT},
        {"a path of NULL with a length", verifier, NULL, 0, NULL, 1, 0, POMERIUM_JWT_INVALID_ARGUMENT},
        {"a negative length", verifier, NULL, 0, "/health", SIZE_MAX, 0, POMERIUM_JWT_INVALID_ARGUMENT},
        {"no verifier", NULL, NULL, 0, "/health", 7, 0, POMERIUM_JWT_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int waits = 0; waits < 2; waits++) {
            char *output = POISON, *claims = POISON;
            int64_t ticket = 0;
            int32_t code = pomerium_jwt_admit(rows[i].verifier, rows[i].token, rows[i].len, rows[i].path, rows[i].path_len,
                                              rows[i].flags, waits ? NULL : &ticket, &output, &claims);
            CHECK(code == rows[i].code, "%s: %d, expected %d", rows[i].note, code, rows[i].code);
            CHECK(!claims, "%s: claims", rows[i].note);
            CHECK((output != NULL) == (code > 0), "%s: the response", rows[i].note);
            if (code > 0) {
                char *named = pomerium_jwt_get(output, "code"), *body = pomerium_jwt_get(output, "body");
                CHECK(named && strcmp(named, pomerium_jwt_code_name(code)) == 0, "%s: %s", rows[i].note, output);
                CHECK(number(output, "status") == pomerium_jwt_code_status(code), "%s: %s", rows[i].note, output);
                CHECK(body && strstr(body, named), "%s: %s", rows[i].note, output);
                pomerium_jwt_string_free(named);
                pomerium_jwt_string_free(body);
            }
            pomerium_jwt_string_free(output);
            CHECK(pomerium_jwt_admit(rows[i].verifier, rows[i].token, rows[i].len, rows[i].path, rows[i].path_len,
                                     rows[i].flags, NULL, NULL, NULL) == rows[i].code, "%s: nothing wanted", rows[i].note);
        }
    pomerium_jwt_verifier_free(base); /* in any order */
    CHECK(pomerium_jwt_admit(verifier, NULL, 0, "/health", 7, 0, NULL, NULL, NULL) == POMERIUM_JWT_PASSED, "after its base");
    pomerium_jwt_verifier_free(verifier);
}

static void tickets_for_requests(void) {
    pomerium_jwt_verifier *verifier = new_verifier("{\"route\":\"http://127.0.0.1:1\",\"timeout\":1}");
    char *output = POISON;
    int64_t ticket = 0;
    int32_t code = pomerium_jwt_admit(verifier, GOOD_TOKEN, strlen(GOOD_TOKEN), "/", 1, 0, &ticket, &output, NULL);
    CHECK(code == POMERIUM_JWT_KEYS_NEEDED && ticket != 0, "code %d, ticket %ld", code, (long)ticket);
    CHECK(output && number(output, "status") == 503, "response %s", output);
    pomerium_jwt_string_free(output);
    int64_t arrived = ticket;
    output = POISON;
    code = pomerium_jwt_admit(verifier, GOOD_TOKEN, strlen(GOOD_TOKEN), "/", 1, 0, &ticket, &output, NULL);
    CHECK(code == POMERIUM_JWT_KEYS_UNAVAILABLE && ticket == arrived, "code %d, ticket %ld", code, (long)ticket);
    char *headers = pomerium_jwt_get(output, "headers"), *after = headers ? pomerium_jwt_get(headers, "Retry-After") : NULL;
    CHECK(after && number(output, "retry_after") == strtol(after, NULL, 10), "response %s", output);
    pomerium_jwt_string_free(after);
    pomerium_jwt_string_free(headers);
    pomerium_jwt_string_free(output);
    pomerium_jwt_verifier_free(verifier);
}

static void other_request_options(void) {
    pomerium_jwt_verifier *base = new_verifier(GOOD_OPTIONS);
    const struct {
        const char *options;
        size_t len;
        int32_t code;
    } rows[] = {
        {"{}", 2, 0},
        {EXEMPT, strlen(EXEMPT), 0},
        {"{\"leeway\":1}", 12, POMERIUM_JWT_INVALID_OPTIONS},
        {"{\"exempt_paths\":\"/*\"}", 22, POMERIUM_JWT_INVALID_OPTIONS},
        {NULL, 0, POMERIUM_JWT_INVALID_OPTIONS},
        {NULL, 1, POMERIUM_JWT_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pomerium_jwt_verifier *made = (pomerium_jwt_verifier *)POISON;
        char *message = POISON;
        int32_t code = pomerium_jwt_verifier_with(base, rows[i].options, rows[i].len, &made, &message);
        CHECK(code == rows[i].code, "row %zu: %d, %s", i, code, message ? message : "no message");
        CHECK((made != NULL) == (code == 0) && (message != NULL) == (code != 0), "row %zu: out-pointers", i);
        pomerium_jwt_verifier_free(made);
        pomerium_jwt_string_free(message);
        CHECK(pomerium_jwt_verifier_with(base, rows[i].options, rows[i].len, NULL, NULL) == rows[i].code, "only checked");
        CHECK(pomerium_jwt_verifier_with(NULL, rows[i].options, rows[i].len, NULL, NULL) == POMERIUM_JWT_INVALID_ARGUMENT,
              "no base");
    }
    pomerium_jwt_verifier_free(base);
}

static void groups(void) {
    const char *identity = "{\"groups\":[\"staff\",\"a,b\",\"\\u00e9\"],\"anonymous\":false}";
    const struct {
        const char *identity;
        const char *group;
        int32_t expected;
    } rows[] = {
        {identity, "staff", 1}, {identity, "a,b", 1},      {identity, "\xc3\xa9", 1}, {identity, "a", 0},
        {identity, "Staff", 0}, {identity, "", 0},         {identity, "\xff", 0},     {identity, NULL, 0},
        {NULL, "staff", 0},     {"a sentence", "staff", 0}, {"{}", "staff", 0},       {"{\"groups\":null}", "staff", 0},
        /* the claims of a token without a user, and what no identity says */
        {"{\"sub\":\"\",\"groups\":[\"staff\"]}", "staff", 0},
        {"{\"groups\":[\"staff\"],\"anonymous\":true}", "staff", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK(pomerium_jwt_in_group(rows[i].identity, rows[i].group) == rows[i].expected, "row %zu", i);
}

void admission(void) {
    TEST(answers);
    TEST(tickets_for_requests);
    TEST(other_request_options);
    TEST(groups);
}
