/* dlopen and dlclose in a loop while a background refresh runs, as PHP does between its requests. A program of its own:
   it is not linked with the library, whose path is its argument. */
#define _DEFAULT_SOURCE

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <pomerium_jwt.h>

#include "good.h"

enum { ROUNDS = 20 };

static void need(int holds, const char *what) {
    if (holds)
        return;
    printf("FAILED %s\nc tests: 0 passed, 1 failed\n", what);
    exit(1);
}

/* A port where connections are accepted, by the system, and never answered. */
static int silent_port(void) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    need(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 2 * ROUNDS) == 0 &&
             getsockname(listener, (struct sockaddr *)&address, &length) == 0, "no port");
    return ntohs(address.sin_port);
}

static int threads(void) {
    int count = -2; /* . and .. */
    DIR *tasks = opendir("/proc/self/task");
    while (tasks && readdir(tasks))
        count++;
    if (tasks)
        closedir(tasks);
    return count;
}

/* ISO C has no cast from dlsym's result to a function. */
static void find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    need(symbol != NULL, name);
    memcpy(function, &symbol, sizeof symbol);
}

static const char *path;
static char options[1024];

/* On a thread that ends: one that has used Rust's thread-local storage would keep the library mapped by itself. */
static void *open_refresh_close(void *unused) {
    int32_t (*new_verifier)(const char *, size_t, pomerium_jwt_verifier **, char **);
    int32_t (*verify)(const pomerium_jwt_verifier *, const char *, size_t, char **, char **);
    void (*verifier_free)(pomerium_jwt_verifier *);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    need(library != NULL, path);
    find(library, "pomerium_jwt_verifier_new", &new_verifier);
    find(library, "pomerium_jwt_verify", &verify);
    find(library, "pomerium_jwt_verifier_free", &verifier_free);

    pomerium_jwt_verifier *verifier = NULL;
    need(new_verifier(options, strlen(options), &verifier, NULL) == 0, "no verifier");
    verify(verifier, GOOD_TOKEN, strlen(GOOD_TOKEN), NULL, NULL); /* expired or not: a refresh starts in the background */
    verifier_free(verifier);
    need(dlclose(library) == 0, "dlclose");
    return unused;
}

int main(int count, char **arguments) {
    need(count == 2, "usage: unload LIBRARY");
    path = arguments[1];
    int length = snprintf(options, sizeof options,
                          "{\"issuer\":\"app.example.com\",\"audience\":\"app.example.com\",\"timeout\":1,"
                          "\"jwks_url\":\"http://127.0.0.1:%d/\",\"jwks_initial\":" GOOD_KEYS "}", silent_port());
    need(length > 0 && (size_t)length < sizeof options, "room for the options");

    for (int i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        need(pthread_create(&thread, NULL, open_refresh_close, NULL) == 0 && pthread_join(thread, NULL) == 0, "thread");
    }
    need(threads() > 1, "no refresh was running when the library was closed");
    for (int i = 0; i < 600 && threads() > 1; i++) { /* each ends, in code that must still be there */
        struct timespec pause = {0, 100 * 1000 * 1000};
        nanosleep(&pause, NULL);
    }
    need(threads() == 1, "a refresh did not end");
    void *library = dlopen(path, RTLD_NOW);
    need(library && dlclose(library) == 0, "dlclose");
    need(dlopen(path, RTLD_NOW | RTLD_NOLOAD) != NULL, "the library was unmapped: link it with -z nodelete");
    printf("ok dlclose_while_a_refresh_runs\nc tests: 1 passed, 0 failed\n");
    return 0;
}
