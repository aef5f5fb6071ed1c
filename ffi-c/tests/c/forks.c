/* fork() with a verifier in hand: parent and child both verify and refresh. */
#include "harness.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than any wait that is right; a child that hangs ends here instead of never. */
enum { HANGS = 60 };

/* Runs `work` in a child and in this process, and checks that the checks of both held. */
static void in_both(bool (*work)(void *), void *argument) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(HANGS);
        _exit(work(argument) ? 0 : 1);
    }
    CHECK(work(argument), "the parent");
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(status == 0, "the child: %s %d", WIFSIGNALED(status) ? "ended by signal" : "exit code",
          WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

struct scene {
    struct issuer issuer;
    pomerium_jwt_verifier *verifier;
    char *token;
    int said[2]; /* a pipe from the child to the parent */
    pid_t parent;
};

static struct scene new_scene(void) {
    struct scene scene;
    scene.issuer = start_issuer();
    scene.verifier = verifier_of(&scene.issuer, "\"timeout\":2,\"refetch_cooldown\":1");
    scene.token = new_token(&scene.issuer);
    return scene;
}

static void end_scene(struct scene *scene) {
    free(scene->token);
    pomerium_jwt_verifier_free(scene->verifier);
    stop_issuer(&scene->issuer);
}

static bool refreshes(const struct scene *scene, int32_t code) {
    char *message = NULL;
    int32_t got = pomerium_jwt_refresh(scene->verifier, 1, &message);
    bool good = CHECK(got == code, "refresh: %s: %s", pomerium_jwt_code_name(got), message ? message : "");
    pomerium_jwt_string_free(message);
    return good;
}

static bool verify_and_refresh(void *argument) {
    const struct scene *scene = argument;
    bool good = EXPECT(verify(scene->verifier, scene->token, NOW), 0);
    sleep_until(seconds() + 1.1); /* a forced refresh is had once a second */
    return refreshes(scene, 0) && EXPECT(verify(scene->verifier, scene->token, NOW), 0) && good;
}

static void before_the_first_fetch(void) {
    struct scene scene = new_scene();
    in_both(verify_and_refresh, &scene);
    CHECK(fetches(&scene.issuer) == 4, "%ld fetches, two in each process", fetches(&scene.issuer));
    end_scene(&scene);
}

static void with_keys(void) {
    struct scene scene = new_scene();
    EXPECT(verify(scene.verifier, scene.token, NOW), 0);
    in_both(verify_and_refresh, &scene);
    CHECK(fetches(&scene.issuer) == 3, "%ld fetches: the child has its parent's keys", fetches(&scene.issuer));
    end_scene(&scene);
}

static void *hanging_refresh(void *argument) {
    refreshes(argument, POMERIUM_JWT_KEYS_UNAVAILABLE);
    return NULL;
}

/* Known keys answer, and a refresh of one's own ends with its timeout. */
static bool verify_while_it_hangs(void *argument) {
    const struct scene *scene = argument;
    bool good = EXPECT(verify(scene->verifier, scene->token, NOW), 0);
    char *status = NULL;
    good &= CHECK(pomerium_jwt_status(scene->verifier, &status) == 0 && status, "status");
    pomerium_jwt_string_free(status);
    good &= refreshes(scene, POMERIUM_JWT_KEYS_UNAVAILABLE);
    good &= EXPECT(verify(scene->verifier, scene->token, NOW), 0);
    return good;
}

/* When both have seen it hang, the server answers again. */
static bool verify_while_it_hangs_and_after(void *argument) {
    const struct scene *scene = argument;
    bool good = verify_while_it_hangs(argument);
    char seen = 'x';
    if (getpid() != scene->parent)
        good &= write(scene->said[1], &seen, 1) == 1;
    else if (CHECK(read(scene->said[0], &seen, 1) == 1, "the child said nothing"))
        command(&scene->issuer, "POST /fault?kind=none");

    int32_t code = POMERIUM_JWT_KEYS_UNAVAILABLE;
    for (double end = seconds() + HANGS; code != 0 && CHECK(seconds() < end, "no refresh succeeds");) {
        sleep_until(seconds() + 1.1);
        code = pomerium_jwt_refresh(scene->verifier, 1, NULL);
    }
    return EXPECT(verify(scene->verifier, scene->token, NOW), 0) && code == 0 && good;
}

static void while_a_fetch_hangs(void) {
    struct scene scene = new_scene();
    EXPECT(verify(scene.verifier, scene.token, NOW), 0);
    command(&scene.issuer, "POST /fault?kind=hang");
    sleep_until(seconds() + 1.1);
    pthread_t thread;
    pthread_create(&thread, NULL, hanging_refresh, &scene);
    for (double end = seconds() + HANGS; fetches(&scene.issuer) < 2 && CHECK(seconds() < end, "no fetch");)
        sleep_until(seconds() + 0.01);
    scene.parent = getpid();
    CHECK(pipe(scene.said) == 0, "no pipe");
    in_both(verify_while_it_hangs_and_after, &scene);
    close(scene.said[0]), close(scene.said[1]);
    pthread_join(thread, NULL);
    end_scene(&scene);
}

/* Host processes fork early (PHP-FPM after preloading): the child finds its parent's shared verifiers. */
static bool share_and_verify(void *argument) {
    const pomerium_jwt_verifier *verifier = NULL;
    int32_t code = pomerium_jwt_verifier_shared(GOOD_OPTIONS, strlen(GOOD_OPTIONS), &verifier, NULL);
    bool good = CHECK(code == 0 && (!argument || verifier == argument), "another verifier after fork()");
    return EXPECT(verify(verifier, GOOD_TOKEN, GOOD_TIME), 0) && good;
}

static void shared_verifiers(void) {
    in_both(share_and_verify, NULL);
    const pomerium_jwt_verifier *verifier = NULL;
    pomerium_jwt_verifier_shared(GOOD_OPTIONS, strlen(GOOD_OPTIONS), &verifier, NULL);
    in_both(share_and_verify, (void *)(uintptr_t)verifier);
}

void forks(void) {
    TEST(before_the_first_fetch);
    TEST(with_keys);
    TEST(while_a_fetch_hangs);
    TEST(shared_verifiers);
}
