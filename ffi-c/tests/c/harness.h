/* What the tests share: checks, one call with its two outputs, and an issuer to talk to. */
#ifndef HARNESS_H
#define HARNESS_H

#define _POSIX_C_SOURCE 200809L

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pomerium_jwt.h>

#include "good.h"

/* A failed check is printed with its place, and the test continues. Gives whether it held; any thread may check. */
#define CHECK(holds, ...) check((holds), __FILE__, __LINE__, __VA_ARGS__)
bool check(bool holds, const char *file, int line, const char *format, ...);

/* Runs one test, and prints `ok NAME` or `FAILED NAME`. */
#define TEST(name) run_test(#name, name)
void run_test(const char *name, void (*test)(void));

/* The groups of tests, one in each file; the scenarios are a group each, because they take their time. */
void arguments(void);
void admission(void);
void stack(void);
void conformance(void);
void five(void);
void forks(void);
void shared(void);
void cold_start(void);
void rotation(void);
void withdrawn_key(void);
void hanging_server(void);
void outage(void);

/* One call's answer. Before the call both texts are POISON, so that one which was not written shows. */
struct answer {
    int32_t code;
    char *output;
    char *claims;
};
#define POISON ((char *)(uintptr_t)0x5a5a)

/* `at` is a time, or NOW for pomerium_jwt_verify. */
#define NOW (-1)
struct answer verify(const pomerium_jwt_verifier *verifier, const char *token, int64_t at);

/* Checks code and form: an identity and claims, or a sentence and no claims. Frees the answer. */
#define EXPECT(answer, code) expect((answer), (code), __FILE__, __LINE__)
bool expect(struct answer answer, int32_t code, const char *file, int line);

/* A verifier that must come about. */
pomerium_jwt_verifier *new_verifier(const char *options);

/* A case of conformance/cases.json. */
struct row {
    char *options;
    char *token;
    size_t length;
};
struct row find_case(const char *id);

/* One member as an integer; -1 if it is none. */
long number(const char *object, const char *name);

/* Seconds of a monotonic clock. */
double seconds(void);
void sleep_until(double moment);

/* A running `pomerium-jwt issuer`, whose program the environment variable ISSUER names. */
struct issuer {
    char url[64];
    int port;
    int process;
    int standard_input;
};
struct issuer start_issuer(void);
void stop_issuer(struct issuer *issuer);

/* The body of a request such as "POST /rotate"; to be freed with free(). */
char *ask(const struct issuer *issuer, const char *request);
/* As `ask`, if the answer does not matter. */
void command(const struct issuer *issuer, const char *request);
char *new_token(const struct issuer *issuer);
long fetches(const struct issuer *issuer);
/* Options for this issuer, `more` being members such as "\"timeout\":2". */
pomerium_jwt_verifier *verifier_of(const struct issuer *issuer, const char *more);

/* Threads that all call `work` with `argument` at the same moment; returns when all have ended. */
void together(int threads, void (*work)(void *), void *argument);

char *printed(const char *format, ...);

#endif
