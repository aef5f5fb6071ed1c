package io.github.pomeriumjwt.test;

import io.github.pomeriumjwt.Options;
import io.github.pomeriumjwt.Verifier;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Stands in for Pomerium in tests: signs with a key of its own, which each issuer makes. Threads may share it. */
public final class PomeriumTestIssuer {
    /** The request header that carries a token. */
    public static final String HEADER = "X-Pomerium-Jwt-Assertion";

    /** As the value of a claim: leaves it out. */
    public static final Object ABSENT = new Object();

    /** How long Pomerium lets a token live. */
    private static final Duration LIFETIME = Duration.ofMinutes(5);

    /** Beyond every leeway and every maximal age in use. */
    private static final Duration LONG_AGO = Duration.ofDays(2);

    private final String host;
    private final TestKey key = new TestKey();

    /** An issuer for the route https://app.example.com. */
    public PomeriumTestIssuer() {
        this("app.example.com");
    }

    /** An issuer for another host, without port. */
    public PomeriumTestIssuer(String host) {
        this.host = host;
    }

    /** The host of the application's route, without port. */
    public String host() {
        return host;
    }

    /** What a verifier takes to accept these tokens: the route, and this issuer's key set. Add what a test needs. */
    public Options.Builder options() {
        return Options.builder().route("https://" + host).jwks(keySet());
    }

    /** A verifier that accepts these tokens. */
    public Verifier verifier() {
        return Verifier.of(options().build());
    }

    /** The JWK Set as Pomerium serves it. */
    public String keySet() {
        return key.set();
    }

    /** A token for alice that was signed now and lives for five minutes. */
    public String token() {
        return token(Map.of());
    }

    /**
     * A token with these claims. The others are those of a request from alice, with an e-mail address and a name; of
     * another {@code sub} they follow from it, and with an empty one the token is that of a request to a public route, for
     * nobody.
     *
     * @param claims text, numbers, booleans, null, Instant (in Unix seconds), lists and maps; {@link #ABSENT} leaves a
     *     claim out
     */
    public String token(Map<String, ? extends @Nullable Object> claims) {
        Map<String, @Nullable Object> payload = payload(claims.containsKey("sub") ? claims.get("sub") : "alice");
        payload.putAll(claims);
        payload.values().removeIf(value -> value == ABSENT);
        return key.sign(payload);
    }

    /** A token that expired two days ago. */
    public String expired() {
        Instant then = Instant.now().minus(LONG_AGO);
        return token(Map.of("iat", then.minus(LIFETIME), "exp", then));
    }

    /** A token for another application behind the same Pomerium. */
    public String wrongAudience() {
        return token(Map.of("aud", "another-application.example.com"));
    }

    private Map<String, @Nullable Object> payload(@Nullable Object subject) {
        Instant now = Instant.now();
        String user = subject instanceof String text ? text : "";
        // Sorted, as Pomerium writes them
        Map<String, @Nullable Object> payload = new TreeMap<>();
        payload.put("sub", subject);
        payload.put("user", subject);
        payload.put("email", user.isEmpty() ? "" : user + "@example.com");
        payload.put("name", user.isEmpty() ? "" : user.substring(0, 1).toUpperCase(Locale.ROOT) + user.substring(1));
        payload.put("groups", List.of());
        payload.put("sid", "");
        payload.put("jti", UUID.randomUUID().toString());
        payload.put("iss", host);
        payload.put("aud", host);
        payload.put("iat", now);
        payload.put("exp", now.plus(LIFETIME));
        return payload;
    }
}
