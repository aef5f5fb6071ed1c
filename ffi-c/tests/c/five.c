/* The tests that every language has of its own. */
#include "harness.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <unistd.h>

static char *minted(const struct issuer *issuer, const char *request) {
    char *token = ask(issuer, request);
    token[strcspn(token, "\r\n")] = '\0';
    return token;
}

static void the_default_clock(void) {
    struct issuer issuer = start_issuer();
    pomerium_jwt_verifier *verifier = verifier_of(&issuer, "\"timeout\":10");
    char *future = minted(&issuer, "GET /mint?sub=alice&exp=4102444800"); /* 2100 */
    char *past = minted(&issuer, "GET /mint?sub=alice&exp=1&iat=0");     /* 1970 */
    EXPECT(verify(verifier, future, NOW), 0);
    EXPECT(verify(verifier, past, NOW), POMERIUM_JWT_TOKEN_EXPIRED);
    free(future);
    free(past);
    pomerium_jwt_verifier_free(verifier);
    stop_issuer(&issuer);
}

/* Where other languages have a closed object, C has a pointer that its owner set to NULL. */
static void after_free(void) {
    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS);
    pomerium_jwt_verifier_free(verifier);
    verifier = NULL;
    EXPECT(verify(verifier, GOOD_TOKEN, GOOD_TIME), POMERIUM_JWT_INVALID_ARGUMENT);
    pomerium_jwt_verifier_free(verifier);
}

static void good_and_bad(void *argument) {
    const pomerium_jwt_verifier *verifier = argument;
    for (int i = 0; i < 100; i++) {
        EXPECT(verify(verifier, GOOD_TOKEN, GOOD_TIME), 0);
        EXPECT(verify(verifier, "a.b.c", GOOD_TIME), POMERIUM_JWT_TOKEN_MALFORMED);
        char *status = POISON;
        CHECK(pomerium_jwt_status(verifier, &status) == 0 && status, "status");
        pomerium_jwt_string_free(status);
    }
}

static void sixteen_threads_on_one_verifier(void) {
    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS);
    together(16, good_and_bad, verifier);
    char *status = NULL;
    pomerium_jwt_status(verifier, &status);
    char *counts = pomerium_jwt_get(status, "counts");
    CHECK(number(counts, "ok") == 1600 && number(counts, "token_malformed") == 1600, "counts %s", counts);
    pomerium_jwt_string_free(counts);
    pomerium_jwt_string_free(status);
    pomerium_jwt_verifier_free(verifier);
}

/* Without what malloc keeps for later, in which a leak could grow unseen. */
static long resident_bytes(void) {
    long pages = 0;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%*d %ld", &pages) == 1, "no /proc/self/statm");
    if (file)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* One byte leaked a round would show: malloc gives 32 for it. */
static void memory_stays_flat(void) {
    const char *asked = getenv("ROUNDS");
    long rounds = asked ? atol(asked) : 100 * 1000, before = 0;
    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS);
    for (long i = 0; i < rounds + rounds / 10; i++) {
        if (i == rounds / 10)
            before = resident_bytes();
        struct answer good = verify(verifier, GOOD_TOKEN, GOOD_TIME), bad = verify(verifier, "a.b.c", GOOD_TIME);
        char *email = pomerium_jwt_get(good.output, "email");
        CHECK(email != NULL, "no e-mail");
        pomerium_jwt_string_free(email);
        EXPECT(good, 0);
        EXPECT(bad, POMERIUM_JWT_TOKEN_MALFORMED);
    }
    long grown = resident_bytes() - before;
    CHECK(grown < 1024 * 1024, "%ld bytes more after %ld rounds", grown, rounds);
    pomerium_jwt_verifier_free(verifier);
}

/* The third of the five, empty, NUL-holding and oversized tokens, is `tokens` in arguments.c. */
void five(void) {
    TEST(the_default_clock);
    TEST(after_free);
    TEST(sixteen_threads_on_one_verifier);
    TEST(memory_stays_flat);
}
