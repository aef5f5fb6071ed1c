package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.ErrorCode;
import io.github.pomeriumjwt.VerifyException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;

/** Says in a sentence why an application does not start, instead of in a stack trace. */
final class PomeriumFailureAnalyzer implements FailureAnalyzer {
    /** For Spring. */
    PomeriumFailureAnalyzer() {}

    @Override
    public @Nullable FailureAnalysis analyze(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof VerifyException wrong) {
                return new FailureAnalysis(wrong.getMessage(), action(wrong), wrong);
            }
            if (cause instanceof ConfigurationException wrong) {
                return new FailureAnalysis(wrong.getMessage(), wrong.action(), wrong);
            }
        }
        return null;
    }

    private static String action(VerifyException wrong) {
        return wrong.code() == ErrorCode.INVALID_OPTIONS
                ? "Correct the properties pomerium.jwt.* or the environment's POMERIUM_JWT_*. One suffices: pomerium.jwt.route, "
                        + "the from: URL of the application's route in Pomerium."
                : "See the reason above.";
    }
}
