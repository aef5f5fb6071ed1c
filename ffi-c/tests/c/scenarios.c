/* The five scenarios of conformance/scenarios.md, step by step. */
#include "harness.h"

#include <pthread.h>

static pomerium_jwt_verifier *with_ttl(const struct issuer *issuer, int ttl) {
    char *more = printed("\"cache_ttl\":%d,\"timeout\":2,\"refetch_cooldown\":1,\"max_stale\":60", ttl);
    pomerium_jwt_verifier *verifier = verifier_of(issuer, more);
    free(more);
    return verifier;
}

static void pause_for(double duration) {
    sleep_until(seconds() + duration);
}

/* Accepted with subject alice, else the code. */
static int32_t call(const pomerium_jwt_verifier *verifier, const char *token) {
    struct answer answer = verify(verifier, token, NOW);
    int32_t code = answer.code;
    char *subject = code == 0 ? pomerium_jwt_get(answer.output, "subject") : NULL;
    CHECK(code != 0 || (subject && strcmp(subject, "alice") == 0), "the subject is %s", subject ? subject : "missing");
    pomerium_jwt_string_free(subject);
    EXPECT(answer, code);
    return code;
}

static void accept(const pomerium_jwt_verifier *verifier, const char *token) {
    int32_t code = call(verifier, token);
    CHECK(code == 0, "refused: %s", pomerium_jwt_code_name(code));
}

static void accept_new(const pomerium_jwt_verifier *verifier, const struct issuer *issuer) {
    char *token = new_token(issuer);
    accept(verifier, token);
    free(token);
}

static bool status_has(const pomerium_jwt_verifier *verifier, const char *name, const char *value) {
    char *status = NULL;
    pomerium_jwt_status(verifier, &status);
    char *found = pomerium_jwt_get(status, name);
    bool has = found && (!value || strcmp(found, value) == 0);
    pomerium_jwt_string_free(found);
    pomerium_jwt_string_free(status);
    return has;
}

struct load {
    const struct issuer *issuer;
    const pomerium_jwt_verifier *verifier;
    const char *token;
    bool stop;
};

/* 1 */
static void one_accept(void *argument) {
    const struct load *load = argument;
    accept(load->verifier, load->token);
}

static void a_cold_start_under_concurrency(void) {
    struct issuer issuer = start_issuer();
    char *token = new_token(&issuer);
    pomerium_jwt_verifier *verifier = with_ttl(&issuer, 60);
    CHECK(fetches(&issuer) == 0, "construction touches no network");
    struct load load = {&issuer, verifier, token, false};
    together(16, one_accept, &load);
    CHECK(fetches(&issuer) == 1, "%ld fetches", fetches(&issuer));
    free(token);
    pomerium_jwt_verifier_free(verifier);
    stop_issuer(&issuer);
}

/* 2 */
static void *new_tokens(void *argument) {
    struct load *load = argument;
    char *first = NULL, *token = NULL;
    int verified = 0, headers = 0;
    while (!__atomic_load_n(&load->stop, __ATOMIC_RELAXED)) {
        token = new_token(load->issuer);
        accept(load->verifier, token);
        verified++;
        if (!first || strncmp(first, token, strcspn(token, ".")) != 0) {
            headers++;
            free(first);
            first = printed("%s", token);
        }
        free(token);
        pause_for(0.02);
    }
    CHECK(verified >= 20 && headers == 2, "%d tokens under %d kids", verified, headers);
    free(first);
    return NULL;
}

static void a_rotation_under_load(void) {
    struct issuer issuer = start_issuer();
    pomerium_jwt_verifier *verifier = with_ttl(&issuer, 1);
    struct load load = {&issuer, verifier, NULL, false};
    pthread_t callers[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&callers[i], NULL, new_tokens, &load);
    pause_for(1);
    const char *const steps[] = {"POST /rotate?step=append", "POST /rotate?step=swap", "POST /rotate?step=drop"};
    for (int i = 0; i < 3; i++) {
        command(&issuer, steps[i]);
        pause_for(2);
    }
    __atomic_store_n(&load.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++)
        pthread_join(callers[i], NULL);
    for (int i = 0; i < 2; i++) {
        pause_for(2);
        command(&issuer, "POST /rotate");
        accept_new(verifier, &issuer);
    }
    pomerium_jwt_verifier_free(verifier);
    stop_issuer(&issuer);
}

/* 3 */
struct idle {
    const pomerium_jwt_verifier *verifier;
    const char *token;
    double moment;
};

static void *refused_later(void *argument) {
    const struct idle *idle = argument;
    sleep_until(idle->moment);
    int32_t code = call(idle->verifier, idle->token);
    CHECK(code == POMERIUM_JWT_KEY_NOT_FOUND, "the idle one: %s", pomerium_jwt_code_name(code));
    return NULL;
}

static void a_withdrawn_key(void) {
    struct issuer issuer = start_issuer();
    command(&issuer, "POST /rotate?step=append");
    char *token = new_token(&issuer);
    pomerium_jwt_verifier *busy = with_ttl(&issuer, 2), *idle = with_ttl(&issuer, 2);
    accept(busy, token);
    accept(idle, token);
    command(&issuer, "POST /withdraw");
    double withdrawn = seconds();

    struct idle later = {idle, token, withdrawn + 4.1};
    pthread_t thread;
    pthread_create(&thread, NULL, refused_later, &later);
    bool refused = false;
    for (double began = seconds(); began < withdrawn + 6; pause_for(0.05), began = seconds()) {
        int32_t code = call(busy, token);
        CHECK(code != 0 || began < withdrawn + 4, "accepted later than 2 ttl after it was withdrawn");
        CHECK(code != 0 || !refused, "accepted after a refusal");
        CHECK(code == 0 || code == POMERIUM_JWT_KEY_NOT_FOUND, "%d", code);
        refused |= code != 0;
    }
    CHECK(refused, "key_not_found did not occur");
    pthread_join(thread, NULL);

    free(token);
    token = new_token(&issuer);
    CHECK(call(busy, token) == POMERIUM_JWT_KEY_NOT_FOUND, "the withdrawn key signs on");
    CHECK(call(idle, token) == POMERIUM_JWT_KEY_NOT_FOUND, "the withdrawn key signs on");
    free(token);
    pause_for(2);
    command(&issuer, "POST /rotate");
    accept_new(busy, &issuer);
    accept_new(idle, &issuer);
    pomerium_jwt_verifier_free(busy);
    pomerium_jwt_verifier_free(idle);
    stop_issuer(&issuer);
}

/* 4 */
static double accepted_in(const pomerium_jwt_verifier *verifier, const char *token) {
    double began = seconds();
    accept(verifier, token);
    return seconds() - began;
}

static void until_fresh(const pomerium_jwt_verifier *verifier, const char *token, bool must_accept) {
    double began = seconds();
    while (!status_has(verifier, "state", "fresh") && CHECK(seconds() < began + 10, "not fresh within 10 seconds")) {
        int32_t code = call(verifier, token);
        CHECK(code == 0 || !must_accept, "refused: %s", pomerium_jwt_code_name(code));
        pause_for(0.05);
    }
}

static void a_key_server_that_hangs(void) {
    struct issuer issuer = start_issuer();
    char *token = new_token(&issuer);
    pomerium_jwt_verifier *busy = with_ttl(&issuer, 5), *idle = with_ttl(&issuer, 5);
    accept(busy, token);
    accept(idle, token);
    command(&issuer, "POST /fault?kind=hang");
    long before = fetches(&issuer);
    for (double end = seconds() + 11; seconds() < end; pause_for(0.05)) {
        double took = accepted_in(busy, token);
        CHECK(took < 1, "the busy one waited %.2f s", took);
    }
    CHECK(fetches(&issuer) >= before + 2, "it has not tried");
    double took = accepted_in(idle, token);
    CHECK(took >= 1 && took < 4, "the idle one waited %.2f s", took);
    took = accepted_in(idle, token);
    CHECK(took < 1, "the idle one waited again, %.2f s", took);
    command(&issuer, "POST /fault?kind=none");
    until_fresh(busy, token, true);
    free(token);
    pomerium_jwt_verifier_free(busy);
    pomerium_jwt_verifier_free(idle);
    stop_issuer(&issuer);
}

/* 5 */
static void an_outage_shorter_than_max_stale(void) {
    struct issuer issuer = start_issuer();
    char *token = new_token(&issuer);
    pomerium_jwt_verifier *busy = with_ttl(&issuer, 2), *idle = with_ttl(&issuer, 2);
    accept(busy, token);
    accept(idle, token);
    command(&issuer, "POST /fault?kind=reset");
    for (double end = seconds() + 7; seconds() < end; pause_for(0.05))
        accept(busy, token);
    accept(idle, token);
    CHECK(status_has(busy, "last_error", NULL) && status_has(idle, "last_error", NULL), "no last_error");
    command(&issuer, "POST /rotate");
    command(&issuer, "POST /fault?kind=none");
    until_fresh(busy, token, false);
    pause_for(1);
    accept_new(busy, &issuer);
    free(token);
    pomerium_jwt_verifier_free(busy);
    pomerium_jwt_verifier_free(idle);
    stop_issuer(&issuer);
}

void cold_start(void) {
    TEST(a_cold_start_under_concurrency);
}

void rotation(void) {
    TEST(a_rotation_under_load);
}

void withdrawn_key(void) {
    TEST(a_withdrawn_key);
}

void hanging_server(void) {
    TEST(a_key_server_that_hangs);
}

void outage(void) {
    TEST(an_outage_shorter_than_max_stale);
}
