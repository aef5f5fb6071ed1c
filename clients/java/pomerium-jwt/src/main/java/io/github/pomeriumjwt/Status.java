package io.github.pomeriumjwt;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A verifier's state at one moment: all that metrics and alerts need. Alert if {@code lastError} stays for minutes, if
 * {@code health().keysLoaded()} stays false, and on counts of {@code keys_unavailable} and {@code keys_empty}; not on
 * {@code state} alone, for the keys of an idle application are old and are fetched before they are used.
 *
 * @param source the option the keys come from, with its address or path
 * @param state how old the keys are
 * @param age since the set in use was asked for; null for static sources
 * @param ttl for how long the set in use is fresh; null for static sources
 * @param keys the keys of the set in use, and those that were skipped
 * @param lastSuccess when the keys were last read or fetched
 * @param lastError the last failure since then
 * @param nextAttempt until the next fetch may start; null for static sources
 * @param pinned what the option {@code trustOnFirstUse} holds on to
 * @param counts how many answers had which code, every code, also at 0; {@code ok} counts the verified ones,
 *     {@code passed} the admissions without an identity
 * @param fetches how many fetches were started
 * @param fetchFailures how many of them failed
 * @param fetchTime how long the last fetch took; null before the first, and for static sources
 * @param keySet a hash over the thumbprints of the keys: equal if two instances have the same keys
 * @param health what probes ask for
 * @param summary the line to log at start
 * @param headerName the option of this name, as the other three
 * @param optional see {@code headerName}
 * @param exemptPaths see {@code headerName}
 * @param requireGroup see {@code headerName}
 */
public record Status(
        String source,
        State state,
        @Nullable Duration age,
        @Nullable Duration ttl,
        List<Key> keys,
        @Nullable Instant lastSuccess,
        @Nullable Failure lastError,
        @Nullable Duration nextAttempt,
        @Nullable Pinned pinned,
        Map<String, Long> counts,
        long fetches,
        long fetchFailures,
        @Nullable Duration fetchTime,
        @Nullable String keySet,
        Health health,
        String summary,
        String headerName,
        boolean optional,
        List<String> exemptPaths,
        List<String> requireGroup) {
    /** How old the keys are. */
    public enum State {
        /** From the options or a file. */
        STATIC,
        /** Not fetched yet. */
        EMPTY,
        /** Younger than the ttl. */
        FRESH,
        /** Younger than twice the ttl. */
        AGING,
        /** In use only while the source fails. */
        OLD,
        /** Not in use any more. */
        EXPIRED;

        /** The name that all languages have, such as {@code fresh}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * One key. Members are null if the key does not have them.
     *
     * @param kid the key's id
     * @param alg its algorithm
     * @param thumbprint its thumbprint (RFC 7638) in hexadecimal
     * @param usable whether tokens are verified with it
     * @param reason why not
     */
    public record Key(
            @Nullable String kid,
            @Nullable String alg,
            @Nullable String thumbprint,
            boolean usable,
            @Nullable String reason) {}

    /**
     * Why the keys could not be loaded.
     *
     * @param code dns, connect, tls, timeout, status, body, refused or spawn
     * @param message a sentence
     * @param at when
     */
    public record Failure(String code, String message, Instant at) {}

    /**
     * The issuer and audience of the first token.
     *
     * @param issuer null if the option {@code issuer} is set
     * @param audience null if the option {@code audience} is set
     */
    public record Pinned(@Nullable String issuer, @Nullable List<String> audience) {}

    static Status of(String document) {
        Members of = new Members(Json.readObject(document));
        return new Status(
                of.text("source"),
                State.valueOf(of.text("state").toUpperCase(Locale.ROOT)),
                of.seconds("age"),
                of.seconds("ttl"),
                of.objects("keys").stream().map(Status::key).toList(),
                of.instant("last_success"),
                of.object("last_error").map(Status::failure).orElse(null),
                of.seconds("next_attempt"),
                of.object("pinned").map(Status::pinned).orElse(null),
                counts(of.object("counts").orElseThrow()),
                of.number("fetches"),
                of.number("fetch_failures"),
                of.fraction("fetch_seconds"),
                of.orNull("key_set"),
                health(of.object("health").orElseThrow()),
                of.text("summary"),
                of.text("header_name"),
                of.flag("optional"),
                of.texts("exempt_paths"),
                of.texts("require_group"));
    }

    private static Key key(Members of) {
        return new Key(
                of.orNull("kid"), of.orNull("alg"), of.orNull("thumbprint"), of.flag("usable"), of.orNull("reason"));
    }

    private static Failure failure(Members of) {
        return new Failure(of.text("code"), of.text("message"), Instant.ofEpochSecond(of.number("at")));
    }

    private static Pinned pinned(Members of) {
        return new Pinned(of.orNull("issuer"), of.get("audience") == null ? null : of.texts("audience"));
    }

    private static Health health(Members of) {
        return new Health(of.flag("configured"), of.flag("asked"), of.flag("keys_loaded"), of.flag("stale"));
    }

    private static Map<String, Long> counts(Members of) {
        Map<String, Long> counts = new LinkedHashMap<>();
        of.names().forEach(code -> counts.put(code, of.number(code)));
        return Collections.unmodifiableMap(counts);
    }
}
