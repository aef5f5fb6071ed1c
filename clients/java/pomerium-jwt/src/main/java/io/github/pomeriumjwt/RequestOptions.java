// Written by `make conformance` from the core's table of options: change core/src/options/mod.rs, not this file.

package io.github.pomeriumjwt;

import java.util.List;
import java.util.Objects;

/** The options that {@link Verifier#with} changes. What is not set stays as it is. */
public final class RequestOptions {
    private final String json;

    private RequestOptions(String json) {
        this.json = json;
    }

    /** Options of which none is set. */
    public static Builder builder() {
        return new Builder();
    }

    /** Options as the JSON object that all languages have, with the core's names: {@code {"optional":true}}. */
    public static RequestOptions fromJson(String json) {
        return new RequestOptions(Objects.requireNonNull(json, "json"));
    }

    /** These options as a JSON object, with the core's names. It may hold secrets of yours, such as names of groups. */
    public String toJson() {
        return json;
    }

    /** Sets options. Null and what JSON cannot say are refused at once, everything else by {@link Verifier}. */
    public static final class Builder {
        private final OptionValues values = new OptionValues();

        private Builder() {}

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
        public RequestOptions build() {
            return new RequestOptions(values.toJson());
        }
    }
}
