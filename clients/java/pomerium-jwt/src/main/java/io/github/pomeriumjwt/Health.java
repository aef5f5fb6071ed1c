package io.github.pomeriumjwt;

/**
 * Says whether an instance can verify, for health pages and probes. Ready is {@code keysLoaded || !asked}; stale is a
 * warning, neither unready nor unlive. Never restart the application because of it: that brings no key server back.
 *
 * @param configured true: a verifier that exists, and is not closed, is configured
 * @param asked whether the keys have been asked for, by the first token or by {@link Verifier#refresh}
 * @param keysLoaded whether there is a usable key that has not expired
 * @param stale whether the keys are old and the last fetch failed
 */
public record Health(boolean configured, boolean asked, boolean keysLoaded, boolean stale) {
    /** Whether the instance can take traffic. */
    public boolean ready() {
        return configured && (keysLoaded || !asked);
    }
}
