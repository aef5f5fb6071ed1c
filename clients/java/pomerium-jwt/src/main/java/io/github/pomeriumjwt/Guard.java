package io.github.pomeriumjwt;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * What all integrations share: asks the verifier and reports refusals. Holds no rule about who gets in. Make one to write
 * an integration for something else than servlets and Spring.
 */
public final class Guard {
    private static final Logger LOGGER = System.getLogger("io.github.pomeriumjwt");

    private final Verifier verifier;
    private final OnRefused onRefused;

    /** Called for each refusal, for example to count or to log them. */
    @FunctionalInterface
    public interface OnRefused {
        /**
         * Reports a refusal.
         *
         * @param refusal its message is for logs, not for the client
         * @param path of the request; the client chose it
         */
        void refused(VerifyException refusal, String path);
    }

    /**
     * Makes a guard, and logs at level INFO what its verifier accepts.
     *
     * @param verifier stays the caller's to close
     * @param onRefused null for a warning in the log, at most one line a second for the same code
     */
    public Guard(Verifier verifier, @Nullable OnRefused onRefused) {
        this.verifier = verifier;
        this.onRefused = onRefused != null ? onRefused : new RefusalLog(line -> LOGGER.log(Level.WARNING, line));
        LOGGER.log(Level.INFO, "pomerium-jwt: " + verifier.summary());
        verifier.warning().ifPresent(warning -> LOGGER.log(Level.WARNING, "pomerium-jwt: " + warning));
    }

    /** Its verifier. */
    public Verifier verifier() {
        return verifier;
    }

    /** The request header that carries the token. */
    public String headerName() {
        return verifier.headerName();
    }

    /**
     * Decides whether a request gets in, and reports a refusal.
     *
     * @param shownPath the path of the request for people to read, whatever it is routed by
     * @throws VerifyException as {@link Verifier#admit}
     */
    public Admission admit(Request request, String shownPath) {
        try {
            return verifier.admit(request);
        } catch (VerifyException refusal) {
            refused(refusal, shownPath);
            throw refusal;
        }
    }

    /** Reports what a single route has refused, by {@link Admission#requireGroup} for example. */
    public void refused(VerifyException refusal, String shownPath) {
        onRefused.refused(refusal, shownPath);
    }
}
