/* Talks to `pomerium-jwt issuer`: conformance/scenarios.md says what it answers. */
#include "harness.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct issuer start_issuer(void) {
    struct issuer issuer = {{0}, 0, 0, 0};
    int in[2], out[2];
    const char *program = getenv("ISSUER");
    if (!program || pipe(in) != 0 || pipe(out) != 0) {
        CHECK(false, "ISSUER must name the program pomerium-jwt");
        exit(1);
    }
    issuer.process = fork();
    if (issuer.process == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[0]), close(in[1]), close(out[0]), close(out[1]);
        freopen("/dev/null", "w", stderr); /* its warning, once for each test */
        execl(program, program, "issuer", "--until-stdin-closes", (char *)NULL);
        _exit(127);
    }
    close(in[0]), close(out[1]);
    issuer.standard_input = in[1];
    FILE *ready = fdopen(out[0], "r");
    bool heard = ready && fscanf(ready, "ready %63s", issuer.url) == 1;
    if (!CHECK(heard && sscanf(issuer.url, "http://127.0.0.1:%d", &issuer.port) == 1, "%s gave no address", program))
        exit(1);
    fclose(ready);
    return issuer;
}

void stop_issuer(struct issuer *issuer) {
    close(issuer->standard_input);
    waitpid(issuer->process, NULL, 0);
}

char *ask(const struct issuer *issuer, const char *request) {
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)issuer->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char *text = printed("%s HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n", request);
    char answer[8192];
    size_t length = 0;
    if (connect(connection, (struct sockaddr *)&address, sizeof address) == 0 &&
        write(connection, text, strlen(text)) == (ssize_t)strlen(text))
        for (ssize_t got; length < sizeof answer - 1 && (got = read(connection, answer + length, sizeof answer - 1 - length)) > 0;)
            length += (size_t)got;
    answer[length] = '\0';
    close(connection);
    free(text);
    char *body = strstr(answer, "\r\n\r\n");
    bool good = strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, " 200", 4) == 0 && body;
    CHECK(good, "%s: %s", request, answer);
    return printed("%s", good ? body + 4 : "");
}

void command(const struct issuer *issuer, const char *request) {
    free(ask(issuer, request));
}

char *new_token(const struct issuer *issuer) {
    char *token = ask(issuer, "GET /mint?sub=alice");
    token[strcspn(token, "\r\n")] = '\0';
    return token;
}

long fetches(const struct issuer *issuer) {
    char *stats = ask(issuer, "GET /stats");
    long count = number(stats, "fetches");
    free(stats);
    return count;
}

pomerium_jwt_verifier *verifier_of(const struct issuer *issuer, const char *more) {
    char *options = printed("{\"route\":\"%s\",%s}", issuer->url, more);
    pomerium_jwt_verifier *verifier = new_verifier(options);
    free(options);
    return verifier;
}
