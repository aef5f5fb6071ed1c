/* Every function, with the worst input there is, on a thread with the stack that the header promises to be enough. */
#include "harness.h"

#include <pthread.h>

/* What pomerium_jwt.h says, and what the thread's own frames and thread-local storage take. */
enum { PROMISED = 64 * 1024, OWN = 16 * 1024 };

/* `before`, then `depth` opening brackets and as many closing ones, then `after`. */
static char *nested(const char *before, int depth, const char *after) {
    size_t start = strlen(before), end = strlen(after);
    char *text = malloc(start + 2 * (size_t)depth + end + 1);
    memcpy(text, before, start);
    memset(text + start, '[', (size_t)depth);
    memset(text + start + depth, ']', (size_t)depth);
    memcpy(text + start + 2 * (size_t)depth, after, end + 1);
    return text;
}

static char *base64url(const char *text) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t length = strlen(text), out = 0;
    char *encoded = malloc(length * 4 / 3 + 4);
    for (size_t i = 0; i < length; i += 3) {
        uint32_t bits = 0;
        size_t have = length - i < 3 ? length - i : 3;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < have ? (unsigned char)text[i + k] : 0);
        for (size_t k = 0; k <= have; k++)
            encoded[out++] = digits[bits >> (18 - 6 * k) & 63];
    }
    encoded[out] = '\0';
    return encoded;
}

/* The deepest payload, signed. */
static struct row deepest;

static void use(const pomerium_jwt_verifier *verifier, const char *token) {
    char *output = NULL, *claims = NULL, *member;
    int64_t ticket = 0;
    size_t len = strlen(token);
    pomerium_jwt_verify(verifier, token, len, &output, &claims);
    pomerium_jwt_string_free(output);
    pomerium_jwt_string_free(claims);
    pomerium_jwt_verify_at(verifier, token, len, GOOD_TIME, &output, &claims);
    member = pomerium_jwt_get(claims, "aud");
    pomerium_jwt_in_group(output, "staff");
    pomerium_jwt_string_free(member);
    pomerium_jwt_string_free(output);
    pomerium_jwt_string_free(claims);
    pomerium_jwt_verify_cached(verifier, token, len, &ticket, &output, NULL);
    pomerium_jwt_string_free(output);
    pomerium_jwt_admit(verifier, token, len, "/a", 2, 0, NULL, &output, NULL);
    pomerium_jwt_string_free(output);
}

static void *worst(void *argument) {
    (void)argument;
    char *header = nested("{\"x\":", 100000, "}"), *options = nested("{\"jwks\":{\"keys\":[],\"x\":", 100000, "}}");
    char *encoded = base64url(header);
    char *token = printed("%s.e30.AA", encoded);
    char *output = NULL;
    pomerium_jwt_verifier *verifier = new_verifier(GOOD_OPTIONS), *made = NULL;
    use(verifier, token);
    use(verifier, GOOD_TOKEN);
    pomerium_jwt_verifier *deep = new_verifier(deepest.options);
    use(deep, deepest.token);
    pomerium_jwt_verifier_free(deep);
    pomerium_jwt_verifier_new(options, strlen(options), &made, &output);
    pomerium_jwt_string_free(output);
    pomerium_jwt_verifier_shared(options, strlen(options), NULL, &output);
    pomerium_jwt_string_free(output);
    pomerium_jwt_verifier_with(verifier, options, strlen(options), NULL, &output);
    pomerium_jwt_string_free(output);
    pomerium_jwt_options_over_env(options, strlen(options), NULL, &output);
    pomerium_jwt_string_free(output);
    pomerium_jwt_options_over_variables(options, strlen(options), options, strlen(options), NULL, &output);
    pomerium_jwt_string_free(output);
    pomerium_jwt_options_from_env(NULL, NULL);
    pomerium_jwt_string_free(pomerium_jwt_get(options, "jwks"));
    pomerium_jwt_status(verifier, &output);
    pomerium_jwt_string_free(output);
    pomerium_jwt_metrics(verifier, &output);
    pomerium_jwt_string_free(output);
    pomerium_jwt_refresh(verifier, 1, NULL);
    pomerium_jwt_verifier_free(verifier);

    /* A fetch is waited for on this stack, and runs on its own */
    verifier = new_verifier("{\"route\":\"https://127.0.0.1:1\",\"timeout\":1}");
    use(verifier, GOOD_TOKEN);
    pomerium_jwt_refresh(verifier, 1, NULL);
    pomerium_jwt_verifier_free(verifier);
    free(token);
    free(encoded);
    free(header);
    free(options);
    return NULL;
}

static void a_small_stack_is_enough(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    deepest = find_case("depth-payload-64-claims");
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstacksize(&attributes, PROMISED + OWN) == 0, "a stack of %d bytes", PROMISED + OWN);
    if (CHECK(pthread_create(&thread, &attributes, worst, NULL) == 0, "no thread"))
        pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    free(deepest.options);
    free(deepest.token);
}

void stack(void) {
    TEST(a_small_stack_is_enough);
}
