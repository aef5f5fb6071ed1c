/*
 * Reads a token from standard input and says who is calling. The environment says what to check:
 * `POMERIUM_JWT_ROUTE=https://app.example.com ./verify < token`
 *
 *     cc verify.c -o verify $(pkg-config --cflags --libs pomerium_jwt)
 */
#include <stdio.h>
#include <string.h>

#include <pomerium_jwt.h>

/* As the command pomerium-jwt: 0 verified, 1 refused, 2 options, 3 keys unavailable, 70 internal. */
static int exit_code(int32_t code) {
    switch (pomerium_jwt_code_kind(code)) {
    case POMERIUM_JWT_KIND_OK:
        return 0;
    case POMERIUM_JWT_KIND_TOKEN:
    case POMERIUM_JWT_KIND_ACCESS:
        return 1;
    case POMERIUM_JWT_KIND_OPTIONS:
        return 2;
    case POMERIUM_JWT_KIND_KEYS:
        return 3;
    default:
        return 70;
    }
}

int main(void) {
    static char token[1024 * 1024 + 1]; /* a longer one is never accepted */
    size_t length = fread(token, 1, sizeof token, stdin);
    if (length > 0 && token[length - 1] == '\n')
        length--;

    char *options = NULL, *output = NULL;
    pomerium_jwt_verifier *verifier = NULL;
    int32_t code = pomerium_jwt_options_from_env(&options, &output);
    if (code == 0)
        code = pomerium_jwt_verifier_new(options, strlen(options), &verifier, &output);
    if (code == 0)
        code = pomerium_jwt_verify(verifier, token, length, &output, NULL);

    if (code == 0) {
        char *subject = pomerium_jwt_get(output, "subject");
        char *email = pomerium_jwt_get(output, "email");
        printf("%s %s\n", subject ? subject : "-", email ? email : "-");
        pomerium_jwt_string_free(subject);
        pomerium_jwt_string_free(email);
    } else {
        fprintf(stderr, "%s: %s\n", pomerium_jwt_code_name(code), output);
    }
    pomerium_jwt_string_free(options);
    pomerium_jwt_string_free(output);
    pomerium_jwt_verifier_free(verifier);
    return exit_code(code);
}
