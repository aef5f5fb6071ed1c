// Written by `make conformance` from the core's table of options: change core/src/options/mod.rs, not this file.

package io.github.pomeriumjwt;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a {@link Verifier} checks. The route alone protects an application. What is not set has its default; durations are
 * whole seconds. {@link Verifier#of} judges the options.
 *
 * <pre>{@code
 * Options options = Options.builder()
 *         .route("https://app.example.com")
 *         .leeway(Duration.ofSeconds(30))
 *         .build();
 * }</pre>
 */
public final class Options {
    private final String json;

    private Options(String json) {
        this.json = json;
    }

    /** Options of which none is set. */
    public static Builder builder() {
        return new Builder();
    }

    /** Options as the JSON object that all languages have, with the core's names: {@code {"route":"https://app.example.com"}}. */
    public static Options fromJson(String json) {
        return new Options(Objects.requireNonNull(json, "json"));
    }

    /** These options as a JSON object, with the core's names. It may hold secrets of yours, such as names of groups. */
    public String toJson() {
        return json;
    }

    /** Sets options. Null and what JSON cannot say are refused at once, everything else by {@link Verifier}. */
    public static final class Builder {
        private final OptionValues values = new OptionValues();

        private Builder() {}

        /**
         * Pomerium's own {@code from:} URL, or several: {@code https://host[:port]} without a path. Gives {@code issuer}
         * and {@code audience} (the host without its port, which Pomerium never writes) and {@code jwksUrl} (of the first
         * one without {@code *}). One value protects an application; explicit options override what it gives.
         */
        public Builder route(String... value) {
            values.list("route", List.of(value));
            return this;
        }

        /**
         * Pomerium's own {@code from:} URL, or several: {@code https://host[:port]} without a path. Gives {@code issuer}
         * and {@code audience} (the host without its port, which Pomerium never writes) and {@code jwksUrl} (of the first
         * one without {@code *}). One value protects an application; explicit options override what it gives.
         */
        public Builder route(List<String> value) {
            values.list("route", value);
            return this;
        }

        /**
         * Accepted {@code iss}. {@code host} accepts {@code host} and {@code https://host/}, an entry with a scheme only
         * itself, {@code *.suffix} one or more labels before the suffix. Required unless {@code route} or
         * {@code trustOnFirstUse}.
         */
        public Builder issuer(String... value) {
            values.list("issuer", List.of(value));
            return this;
        }

        /**
         * Accepted {@code iss}. {@code host} accepts {@code host} and {@code https://host/}, an entry with a scheme only
         * itself, {@code *.suffix} one or more labels before the suffix. Required unless {@code route} or
         * {@code trustOnFirstUse}.
         */
        public Builder issuer(List<String> value) {
            values.list("issuer", value);
            return this;
        }

        /**
         * Accepted {@code aud}, any of them, written as {@code issuer}. Required unless {@code route} or
         * {@code trustOnFirstUse}: one key signs every route, so without it a token for one application opens another.
         */
        public Builder audience(String... value) {
            values.list("audience", List.of(value));
            return this;
        }

        /**
         * Accepted {@code aud}, any of them, written as {@code issuer}. Required unless {@code route} or
         * {@code trustOnFirstUse}: one key signs every route, so without it a token for one application opens another.
         */
        public Builder audience(List<String> value) {
            values.list("audience", value);
            return this;
        }

        /** URL of the JWK Set. Default: derived from {@code route} or {@code issuer}. */
        public Builder jwksUrl(String value) {
            values.text("jwks_url", value);
            return this;
        }

        /** The JWK Set itself, an object in JSON. */
        public Builder jwks(String value) {
            values.document("jwks", value);
            return this;
        }

        /** A file that holds the JWK Set. A change is picked up within a second. */
        public Builder jwksFile(Path value) {
            values.file("jwks_file", value);
            return this;
        }

        /** One public key: PEM of the key or of a certificate, or that PEM in base64, as Pomerium's settings are. */
        public Builder publicKey(String value) {
            values.text("public_key", value);
            return this;
        }

        /** A file that holds what {@code publicKey} takes. */
        public Builder publicKeyFile(Path value) {
            values.file("public_key_file", value);
            return this;
        }

        /**
         * Pin the issuer and audience of the first verified token if they are not configured. For development; needs a key
         * source of its own.
         */
        public Builder trustOnFirstUse(boolean value) {
            values.flag("trust_on_first_use", value);
            return this;
        }

        /** Accepted {@code alg}: ES256, RS256. Pomerium signs RS256 only if its signing key is RSA. */
        public Builder algorithms(String... value) {
            values.list("algorithms", List.of(value));
            return this;
        }

        /** Accepted {@code alg}: ES256, RS256. Pomerium signs RS256 only if its signing key is RSA. */
        public Builder algorithms(List<String> value) {
            values.list("algorithms", value);
            return this;
        }

        /**
         * Claims to demand: each name with its values. The claim must equal one of them or, if it is a list, contain one.
         */
        public Builder expectClaims(Map<String, List<String>> value) {
            values.claims("expect_claims", value);
            return this;
        }

        /** RFC 7638 thumbprints in lower-case hex (Pomerium's {@code kid}): all other keys are skipped. */
        public Builder pinKids(String... value) {
            values.list("pin_kids", List.of(value));
            return this;
        }

        /** RFC 7638 thumbprints in lower-case hex (Pomerium's {@code kid}): all other keys are skipped. */
        public Builder pinKids(List<String> value) {
            values.list("pin_kids", value);
            return this;
        }

        /** Time to tolerate on {@code exp}, {@code nbf} and {@code iat}. The default is 60 s. Takes 0 to 3600 s. */
        public Builder leeway(Duration value) {
            values.seconds("leeway", value);
            return this;
        }

        /** Time since {@code iat} after which a token is refused. Takes 1 to 2147483648 s. */
        public Builder maxTokenAge(Duration value) {
            values.seconds("max_token_age", value);
            return this;
        }

        /** Accept a token whose {@code sub} is empty: public routes are signed too, with no user. */
        public Builder allowAnonymous(boolean value) {
            values.flag("allow_anonymous", value);
            return this;
        }

        /**
         * The longest token accepted, in bytes. Envoy limits all headers together to 128 KiB. The default is 131072. Takes
         * 1024 to 1048576.
         */
        public Builder maxTokenBytes(int value) {
            values.integer("max_token_bytes", value);
            return this;
        }

        /** A JWK Set to start with when keys are fetched, as if fetched one ttl before construction: for cold starts. */
        public Builder jwksInitial(String value) {
            values.document("jwks_initial", value);
            return this;
        }

        /** A file of CA certificates in PEM to trust for the fetch, in addition to the system's. Read at each fetch. */
        public Builder caFile(Path value) {
            values.file("ca_file", value);
            return this;
        }

        /** CA certificates in PEM to trust for the fetch, in addition to the system's. */
        public Builder caPem(String value) {
            values.text("ca_pem", value);
            return this;
        }

        /**
         * Connect to this {@code host:port} to fetch keys. The Host header, SNI and certificate check still use the host
         * of {@code jwksUrl}.
         */
        public Builder connectTo(String value) {
            values.text("connect_to", value);
            return this;
        }

        /** Time for one whole fetch, and the bound of every wait for it. The default is 3 s. Takes 1 to 60 s. */
        public Builder timeout(Duration value) {
            values.seconds("timeout", value);
            return this;
        }

        /** Fetch keys over plain http from addresses other than loopback. */
        public Builder allowHttp(boolean value) {
            values.flag("allow_http", value);
            return this;
        }

        /**
         * Time for which a fetched set is fresh. Default: the response's Cache-Control within 60 to 3600, else 300. Takes
         * 1 to 86400 s.
         */
        public Builder cacheTtl(Duration value) {
            values.seconds("cache_ttl", value);
            return this;
        }

        /**
         * Time beyond twice the ttl for which the last good keys are used while the source fails. The default is 3600 s.
         * Takes 0 to 604800 s.
         */
        public Builder maxStale(Duration value) {
            values.seconds("max_stale", value);
            return this;
        }

        /** The longest pause between fetches that unknown key ids cause. The default is 10 s. Takes 1 to 3600 s. */
        public Builder refetchCooldown(Duration value) {
            values.seconds("refetch_cooldown", value);
            return this;
        }

        /** The request header that carries the token. The default is X-Pomerium-Jwt-Assertion. */
        public Builder headerName(String value) {
            values.text("header_name", value);
            return this;
        }

        /**
         * Let requests without a token pass, without an identity. A token that does not verify is refused all the same.
         */
        public Builder optional(boolean value) {
            values.flag("optional", value);
            return this;
        }

        /** Paths that need no token: {@code /health}, or {@code /public/*} for everything below {@code /public/}. */
        public Builder exemptPaths(String... value) {
            values.list("exempt_paths", List.of(value));
            return this;
        }

        /** Paths that need no token: {@code /health}, or {@code /public/*} for everything below {@code /public/}. */
        public Builder exemptPaths(List<String> value) {
            values.list("exempt_paths", value);
            return this;
        }

        /** The user must be in one of these groups. */
        public Builder requireGroup(String... value) {
            values.list("require_group", List.of(value));
            return this;
        }

        /** The user must be in one of these groups. */
        public Builder requireGroup(List<String> value) {
            values.list("require_group", value);
            return this;
        }

        /** The options that have been set until now. */
        public Options build() {
            return new Options(values.toJson());
        }
    }
}
