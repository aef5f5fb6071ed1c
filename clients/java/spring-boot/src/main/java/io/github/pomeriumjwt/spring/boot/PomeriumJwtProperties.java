// Written by `make conformance` from the core's table of options: change core/src/options/mod.rs, not this file.

package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Options;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.convert.DurationUnit;

/** The options as Spring Boot binds them: {@code pomerium.jwt.*}. Empty counts as not set, as in the environment. */
record PomeriumJwtProperties(
        @Nullable List<String> route,
        @Nullable List<String> issuer,
        @Nullable List<String> audience,
        @Nullable String jwksUrl,
        @Nullable String jwks,
        @Nullable String jwksFile,
        @Nullable String publicKey,
        @Nullable String publicKeyFile,
        @Nullable Boolean trustOnFirstUse,
        @Nullable List<String> algorithms,
        @Nullable Map<String, List<String>> expectClaims,
        @Nullable List<String> pinKids,
        @DurationUnit(ChronoUnit.SECONDS) @Nullable Duration leeway,
        @DurationUnit(ChronoUnit.SECONDS) @Nullable Duration maxTokenAge,
        @Nullable Boolean allowAnonymous,
        @Nullable Integer maxTokenBytes,
        @Nullable String jwksInitial,
        @Nullable String caFile,
        @Nullable String caPem,
        @Nullable String connectTo,
        @DurationUnit(ChronoUnit.SECONDS) @Nullable Duration timeout,
        @Nullable Boolean allowHttp,
        @DurationUnit(ChronoUnit.SECONDS) @Nullable Duration cacheTtl,
        @DurationUnit(ChronoUnit.SECONDS) @Nullable Duration maxStale,
        @DurationUnit(ChronoUnit.SECONDS) @Nullable Duration refetchCooldown,
        @Nullable String headerName,
        @Nullable Boolean optional,
        @Nullable List<String> exemptPaths,
        @Nullable List<String> requireGroup) {

    /** As options of the verifier. */
    Options toOptions() {
        Options.Builder options = Options.builder();
        set(route, options::route);
        set(issuer, options::issuer);
        set(audience, options::audience);
        set(jwksUrl, options::jwksUrl);
        set(jwks, options::jwks);
        set(jwksFile, file -> options.jwksFile(Path.of(file)));
        set(publicKey, options::publicKey);
        set(publicKeyFile, file -> options.publicKeyFile(Path.of(file)));
        set(trustOnFirstUse, options::trustOnFirstUse);
        set(algorithms, options::algorithms);
        set(expectClaims, options::expectClaims);
        set(pinKids, options::pinKids);
        set(leeway, options::leeway);
        set(maxTokenAge, options::maxTokenAge);
        set(allowAnonymous, options::allowAnonymous);
        set(maxTokenBytes, options::maxTokenBytes);
        set(jwksInitial, options::jwksInitial);
        set(caFile, file -> options.caFile(Path.of(file)));
        set(caPem, options::caPem);
        set(connectTo, options::connectTo);
        set(timeout, options::timeout);
        set(allowHttp, options::allowHttp);
        set(cacheTtl, options::cacheTtl);
        set(maxStale, options::maxStale);
        set(refetchCooldown, options::refetchCooldown);
        set(headerName, options::headerName);
        set(optional, options::optional);
        set(exemptPaths, options::exemptPaths);
        set(requireGroup, options::requireGroup);
        return options.build();
    }

    private static <T> void set(@Nullable T value, Consumer<T> setter) {
        boolean empty = value instanceof String text && text.isEmpty() || value instanceof Collection<?> list && list.isEmpty();
        if (value != null && !empty) {
            setter.accept(value);
        }
    }
}
