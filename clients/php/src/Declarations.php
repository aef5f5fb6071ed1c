<?php

declare(strict_types=1);

namespace PomeriumJwt;

/**
 * What is used of include/pomerium_jwt.h: the whole header takes PHP four times as long to read, in each request. A test
 * compares it.
 *
 * @internal
 */
final class Declarations
{
    public const TEXT = <<<'END'
        typedef struct pomerium_jwt_verifier pomerium_jwt_verifier;
        int32_t pomerium_jwt_verifier_new(const char *options, size_t len, pomerium_jwt_verifier **verifier, char **message);
        int32_t pomerium_jwt_verifier_shared(const char *options, size_t len, const pomerium_jwt_verifier **verifier, char **message);
        int32_t pomerium_jwt_verifier_with(const pomerium_jwt_verifier *base, const char *request_options, size_t len, pomerium_jwt_verifier **verifier, char **message);
        int32_t pomerium_jwt_verify(const pomerium_jwt_verifier *verifier, const char *token, size_t len, char **output, char **claims);
        int32_t pomerium_jwt_verify_at(const pomerium_jwt_verifier *verifier, const char *token, size_t len, int64_t now, char **output, char **claims);
        int32_t pomerium_jwt_admit(const pomerium_jwt_verifier *verifier, const char *token, size_t len, const char *path, size_t path_len, int32_t flags, int64_t *ticket, char **output, char **claims);
        int32_t pomerium_jwt_refresh(const pomerium_jwt_verifier *verifier, int32_t force, char **message);
        int32_t pomerium_jwt_status(const pomerium_jwt_verifier *verifier, char **output);
        int32_t pomerium_jwt_describe(const pomerium_jwt_verifier *verifier, char **output);
        int32_t pomerium_jwt_metrics(const pomerium_jwt_verifier *verifier, char **output);
        void pomerium_jwt_verifier_free(pomerium_jwt_verifier *verifier);
        void pomerium_jwt_string_free(char *string);
        uint32_t pomerium_jwt_abi_version(void);
        const char *pomerium_jwt_version(void);
        int32_t pomerium_jwt_options_over_variables(const char *options, size_t len, const char *variables, size_t variables_len, char **merged, char **message);
        int32_t pomerium_jwt_log_due(const pomerium_jwt_verifier *verifier, int32_t code, uint64_t *held);

        END;
}
