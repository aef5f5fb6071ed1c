/* pomerium_jwt_verifier_shared: one verifier for the same bytes, 64 at most, never freed. */
#include "harness.h"

static const pomerium_jwt_verifier *shared_verifier(const char *options) {
    const pomerium_jwt_verifier *verifier = NULL;
    char *message = POISON;
    int32_t code = pomerium_jwt_verifier_shared(options, strlen(options), &verifier, &message);
    CHECK(code == 0 && verifier && !message, "%s", message ? message : "no message");
    return verifier;
}

struct load {
    const char *options;
    const char *token;
    const pomerium_jwt_verifier *first;
};

static void share_and_verify(void *argument) {
    const struct load *load = argument;
    const pomerium_jwt_verifier *verifier = shared_verifier(load->options);
    CHECK(verifier == load->first || !load->first, "another verifier for the same bytes");
    EXPECT(verify(verifier, load->token, NOW), 0);
}

static void one_fetch_for_a_process(void) {
    struct issuer issuer = start_issuer();
    char *token = new_token(&issuer);
    char *options = printed("{\"route\":\"%s\",\"timeout\":10}", issuer.url);
    struct load load = {options, token, NULL};
    together(16, share_and_verify, &load);
    load.first = shared_verifier(options);
    together(16, share_and_verify, &load);
    CHECK(fetches(&issuer) == 1, "%ld fetches", fetches(&issuer));

    /* Freeing does nothing, and other bytes are another verifier */
    pomerium_jwt_verifier_free((pomerium_jwt_verifier *)(uintptr_t)load.first);
    CHECK(shared_verifier(options) == load.first, "freeing a shared verifier does nothing");
    EXPECT(verify(load.first, token, NOW), 0);
    char *spaced = printed("%s ", options);
    CHECK(shared_verifier(spaced) != load.first, "other bytes, the same verifier");
    free(spaced);
    free(options);
    free(token);
    stop_issuer(&issuer);
}

static void sixty_four_at_most(void) {
    const pomerium_jwt_verifier *first = shared_verifier(GOOD_OPTIONS);
    for (int i = 0; i < 100; i++) { /* failed constructions are not kept */
        char *bad = printed("{\"leeway\":%d}", i);
        CHECK(pomerium_jwt_verifier_shared(bad, strlen(bad), NULL, NULL) == POMERIUM_JWT_INVALID_OPTIONS, "%s", bad);
        const pomerium_jwt_verifier *verifier = first;
        CHECK(pomerium_jwt_verifier_shared(bad, strlen(bad), &verifier, NULL) == POMERIUM_JWT_INVALID_OPTIONS, "%s", bad);
        CHECK(verifier == NULL, "a verifier of %s", bad);
        free(bad);
    }
    int made = 0;
    for (int32_t code = 0; code == 0; made++) {
        const pomerium_jwt_verifier *verifier = NULL;
        char *message = NULL;
        char *other = printed("%s%*s", GOOD_OPTIONS, made + 1, "");
        code = pomerium_jwt_verifier_shared(other, strlen(other), &verifier, &message);
        CHECK((code == 0) == (verifier != NULL), "a verifier and code %d", code);
        CHECK(code == 0 || (code == POMERIUM_JWT_INVALID_OPTIONS && strstr(message, "64")), "code %d", code);
        if (!CHECK(made <= 64, "more than 64"))
            break;
        pomerium_jwt_string_free(message);
        free(other);
    }
    /* Two from the test above, GOOD_OPTIONS itself, and the last one did not come about */
    CHECK(made - 1 + 3 == 64, "%d were shared", made - 1 + 3);
    CHECK(shared_verifier(GOOD_OPTIONS) == first, "those there are still found");
    EXPECT(verify(first, GOOD_TOKEN, GOOD_TIME), 0);
}

static void one_line_at_start_and_one_warning_a_second(void) {
    const pomerium_jwt_verifier *verifier = shared_verifier(GOOD_OPTIONS);
    uint64_t held = 7;
    CHECK(pomerium_jwt_log_due(verifier, 0, &held) == 1 && held == 0, "the line at start");
    CHECK(pomerium_jwt_log_due(shared_verifier(GOOD_OPTIONS), 0, NULL) == 0, "the line at start, again");
    CHECK(pomerium_jwt_log_due(NULL, 0, NULL) == 0, "the line of no verifier");
    pomerium_jwt_verifier *same = NULL, *other = NULL;
    CHECK(pomerium_jwt_verifier_with(verifier, "{}", 2, &same, NULL) == 0, "the same options");
    CHECK(pomerium_jwt_verifier_with(verifier, "{\"optional\":true}", 17, &other, NULL) == 0, "other options");
    CHECK(pomerium_jwt_log_due(same, 0, NULL) == 0, "the same line of another verifier");
    CHECK(pomerium_jwt_log_due(other, 0, NULL) == 1, "another line");
    pomerium_jwt_verifier_free(same);
    pomerium_jwt_verifier_free(other);
    CHECK(pomerium_jwt_log_due(verifier, POMERIUM_JWT_TOKEN_EXPIRED, &held) == 1 && held == 0, "the first warning");
    int lines = 0;
    for (int i = 0; i < 1000; i++)
        lines += pomerium_jwt_log_due(verifier, POMERIUM_JWT_TOKEN_EXPIRED, NULL);
    CHECK(lines <= 100, "%d lines for 1000 refusals", lines); /* each would be a second */
    CHECK(pomerium_jwt_log_due(verifier, POMERIUM_JWT_TOKEN_MISSING, NULL) == 1, "another code");
}

void shared(void) {
    TEST(one_line_at_start_and_one_warning_a_second);
    TEST(one_fetch_for_a_process);
    TEST(sixty_four_at_most);
}
