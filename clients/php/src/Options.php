<?php

// Written by `make conformance` from the core: change core/src, not this file.

declare(strict_types=1);

namespace PomeriumJwt;

use DateInterval;

/**
 * What a verifier checks, as named arguments. `route` alone protects an application; what is left out has its default:
 *
 *     new Options(route: 'https://app.example.com', leeway: 30)
 *
 * Durations are whole seconds, or a DateInterval of days, hours, minutes and seconds.
 */
final class Options
{
    private const NAMES = [
        'route' => 'route',
        'issuer' => 'issuer',
        'audience' => 'audience',
        'jwksUrl' => 'jwks_url',
        'jwks' => 'jwks',
        'jwksFile' => 'jwks_file',
        'publicKey' => 'public_key',
        'publicKeyFile' => 'public_key_file',
        'trustOnFirstUse' => 'trust_on_first_use',
        'algorithms' => 'algorithms',
        'expectClaims' => 'expect_claims',
        'pinKids' => 'pin_kids',
        'leeway' => 'leeway',
        'maxTokenAge' => 'max_token_age',
        'allowAnonymous' => 'allow_anonymous',
        'maxTokenBytes' => 'max_token_bytes',
        'jwksInitial' => 'jwks_initial',
        'caFile' => 'ca_file',
        'caPem' => 'ca_pem',
        'connectTo' => 'connect_to',
        'timeout' => 'timeout',
        'allowHttp' => 'allow_http',
        'cacheTtl' => 'cache_ttl',
        'maxStale' => 'max_stale',
        'refetchCooldown' => 'refetch_cooldown',
        'headerName' => 'header_name',
        'optional' => 'optional',
        'exemptPaths' => 'exempt_paths',
        'requireGroup' => 'require_group',
    ];

    public function __construct(
        /**
         * Pomerium's own `from:` URL, or a list of them: `https://host[:port]` without a path. Gives `issuer` and
         * `audience` (the host without its port, which Pomerium never writes) and `jwksUrl` (of the first one without
         * `*`). One value protects an application; explicit options override what it gives.
         */
        public readonly string|array|null $route = null,
        /**
         * Accepted `iss`, a string or a list. `host` accepts `host` and `https://host/`, an entry with a scheme only
         * itself, `*.suffix` one or more labels before the suffix. Required unless `route` or `trustOnFirstUse`.
         */
        public readonly string|array|null $issuer = null,
        /**
         * Accepted `aud`, any of them, written as `issuer`. Required unless `route` or `trustOnFirstUse`: one key signs
         * every route, so without it a token for one application opens another.
         */
        public readonly string|array|null $audience = null,
        /** URL of the JWK Set. Default: derived from `route` or `issuer`. */
        public readonly ?string $jwksUrl = null,
        /** The JWK Set itself, an object in JSON. */
        public readonly array|object|null $jwks = null,
        /** A file that holds the JWK Set. A change is picked up within a second. */
        public readonly ?string $jwksFile = null,
        /** One public key: PEM of the key or of a certificate, or that PEM in base64, as Pomerium's settings are. */
        public readonly ?string $publicKey = null,
        /** A file that holds what `publicKey` takes. */
        public readonly ?string $publicKeyFile = null,
        /**
         * Pin the issuer and audience of the first verified token if they are not configured. For development; needs a
         * key source of its own. Default: false.
         */
        public readonly ?bool $trustOnFirstUse = null,
        /** Accepted `alg`: ES256, RS256. Pomerium signs RS256 only if its signing key is RSA. Default: ['ES256']. */
        public readonly string|array|null $algorithms = null,
        /**
         * Claims to demand: name -> string or list. The claim must equal one of them or, if it is a list, contain one.
         */
        public readonly array|object|null $expectClaims = null,
        /** RFC 7638 thumbprints in lower-case hex (Pomerium's `kid`): all other keys are skipped. */
        public readonly string|array|null $pinKids = null,
        /** Seconds of tolerance on `exp`, `nbf` and `iat`. Takes 0 to 3600. Default: 60. */
        public readonly int|DateInterval|null $leeway = null,
        /** Seconds since `iat` after which a token is refused. Takes 1 to 2147483648. */
        public readonly int|DateInterval|null $maxTokenAge = null,
        /** Accept a token whose `sub` is empty: public routes are signed too, with no user. Default: false. */
        public readonly ?bool $allowAnonymous = null,
        /**
         * The longest token accepted, in bytes. Envoy limits all headers together to 128 KiB. Takes 1024 to 1048576.
         * Default: 131072.
         */
        public readonly ?int $maxTokenBytes = null,
        /**
         * A JWK Set to start with when keys are fetched, as if fetched one ttl before construction: for cold starts.
         */
        public readonly array|object|null $jwksInitial = null,
        /** A file of CA certificates in PEM to trust for the fetch, in addition to the system's. Read at each fetch. */
        public readonly ?string $caFile = null,
        /** CA certificates in PEM to trust for the fetch, in addition to the system's. */
        public readonly ?string $caPem = null,
        /**
         * Connect to this `host:port` to fetch keys. The Host header, SNI and certificate check still use the host of
         * `jwksUrl`.
         */
        public readonly ?string $connectTo = null,
        /** Seconds for one whole fetch, and the bound of every wait for it. Takes 1 to 60. Default: 3. */
        public readonly int|DateInterval|null $timeout = null,
        /** Fetch keys over plain http from addresses other than loopback. Default: false. */
        public readonly ?bool $allowHttp = null,
        /**
         * Seconds for which a fetched set is fresh. Default: the response's Cache-Control within 60 to 3600, else 300.
         * Takes 1 to 86400.
         */
        public readonly int|DateInterval|null $cacheTtl = null,
        /**
         * Seconds beyond twice the ttl for which the last good keys are used while the source fails. Takes 0 to 604800.
         * Default: 3600.
         */
        public readonly int|DateInterval|null $maxStale = null,
        /** The longest pause in seconds between fetches that unknown key ids cause. Takes 1 to 3600. Default: 10. */
        public readonly int|DateInterval|null $refetchCooldown = null,
        /** The request header that carries the token. Default: 'X-Pomerium-Jwt-Assertion'. */
        public readonly ?string $headerName = null,
        /**
         * Let requests without a token pass, without an identity. A token that does not verify is refused all the same.
         * Default: false.
         */
        public readonly ?bool $optional = null,
        /** Paths that need no token: `/health`, or `/public/*` for everything below `/public/`. */
        public readonly string|array|null $exemptPaths = null,
        /** The user must be in one of these groups. */
        public readonly string|array|null $requireGroup = null,
    ) {
    }

    /**
     * The options that are set, under the names that they have in every language.
     *
     * @return array<string, mixed>
     */
    public function toArray(): array
    {
        $set = [];
        foreach (self::NAMES as $property => $name) {
            if ($this->$property !== null) {
                $set[$name] = $this->$property;
            }
        }
        return $set;
    }
}
