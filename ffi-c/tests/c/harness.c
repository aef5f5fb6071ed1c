#include "harness.h"

#include <pthread.h>
#include <stdarg.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int failed_checks;
static int passed;
static int failed;

static const struct {
    const char *name;
    void (*run)(void);
} GROUPS[] = {
    {"arguments", arguments},       {"admission", admission},           {"stack", stack},
    {"conformance", conformance},   {"five", five},
    {"forks", forks},               {"shared", shared},                 {"cold_start", cold_start},
    {"rotation", rotation},         {"withdrawn_key", withdrawn_key},   {"hanging_server", hanging_server},
    {"outage", outage},
};

/* Runs the groups that are named. */
int main(int count, char **names) {
    for (int i = 1; i < count; i++) {
        size_t group = 0;
        while (group < sizeof GROUPS / sizeof *GROUPS && strcmp(GROUPS[group].name, names[i]) != 0)
            group++;
        if (!CHECK(group < sizeof GROUPS / sizeof *GROUPS, "there is no group %s", names[i]))
            return 2;
        GROUPS[group].run();
    }
    printf("c tests: %d passed, %d failed\n", passed, failed);
    return failed || !passed;
}

void run_test(const char *name, void (*test)(void)) {
    int before = failed_checks;
    test();
    bool good = failed_checks == before;
    *(good ? &passed : &failed) += 1;
    printf("%s %s\n", good ? "ok" : "FAILED", name);
    fflush(stdout);
}

bool check(bool holds, const char *file, int line, const char *format, ...) {
    if (holds)
        return true;
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&lock);
    failed_checks++;
    printf("%s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    pthread_mutex_unlock(&lock);
    va_end(arguments);
    return false;
}

struct answer verify(const pomerium_jwt_verifier *verifier, const char *token, int64_t at) {
    struct answer answer = {0, POISON, POISON};
    if (at == NOW)
        answer.code = pomerium_jwt_verify(verifier, token, strlen(token), &answer.output, &answer.claims);
    else
        answer.code = pomerium_jwt_verify_at(verifier, token, strlen(token), at, &answer.output, &answer.claims);
    return answer;
}

bool expect(struct answer answer, int32_t code, const char *file, int line) {
    bool good = check(answer.code == code, file, line, "expected %s, got %s: %s", pomerium_jwt_code_name(code),
                      pomerium_jwt_code_name(answer.code), answer.output ? answer.output : "(no text)");
    good &= check(answer.output != NULL && answer.output != POISON, file, line, "the output was not written");
    bool object = good && answer.output[0] == '{';
    if (answer.code == 0)
        good &= check(object && answer.claims && answer.claims != POISON && answer.claims[0] == '{', file, line,
                      "success without identity and claims");
    else
        good &= check(!object && answer.claims == NULL, file, line, "failure without a sentence, or with claims");
    if (good) {
        pomerium_jwt_string_free(answer.output);
        pomerium_jwt_string_free(answer.claims);
    }
    return good;
}

pomerium_jwt_verifier *new_verifier(const char *options) {
    pomerium_jwt_verifier *verifier = NULL;
    char *message = POISON;
    int32_t code = pomerium_jwt_verifier_new(options, strlen(options), &verifier, &message);
    CHECK(code == 0 && verifier && !message, "no verifier: %s", message ? message : "(no message)");
    if (!verifier)
        exit(1);
    return verifier;
}

long number(const char *object, const char *name) {
    char *text = pomerium_jwt_get(object, name);
    long value = text ? strtol(text, NULL, 10) : -1;
    pomerium_jwt_string_free(text);
    return value;
}

double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void sleep_until(double moment) {
    for (double left = moment - seconds(); left > 0; left = moment - seconds()) {
        struct timespec pause = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
        nanosleep(&pause, NULL);
    }
}

struct crew {
    pthread_barrier_t start;
    void (*work)(void *);
    void *argument;
};

static void *member(void *argument) {
    struct crew *crew = argument;
    pthread_barrier_wait(&crew->start);
    crew->work(crew->argument);
    return NULL;
}

void together(int threads, void (*work)(void *), void *argument) {
    struct crew crew;
    crew.work = work;
    crew.argument = argument;
    pthread_barrier_init(&crew.start, NULL, (unsigned)threads);
    pthread_t *handles = calloc((size_t)threads, sizeof *handles);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&handles[i], NULL, member, &crew) != 0)
            abort();
    for (int i = 0; i < threads; i++)
        pthread_join(handles[i], NULL);
    free(handles);
    pthread_barrier_destroy(&crew.start);
}

char *printed(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = malloc((size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
