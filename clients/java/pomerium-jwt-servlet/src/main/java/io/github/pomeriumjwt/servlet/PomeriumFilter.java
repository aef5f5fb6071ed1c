package io.github.pomeriumjwt.servlet;

import io.github.pomeriumjwt.Admission;
import io.github.pomeriumjwt.Guard;
import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Options;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.VerifyException;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Lets in requests that the verifier admits, and answers the others itself: with the status 401, 403 (groups) or 503 (no
 * keys), and the code alone as the body.
 *
 * <p><b>Make it the first filter, for every URL ({@code /*}) and every dispatcher type</b>: filters in front of it and
 * what they answer are not protected, and neither is what a container serves without filters. Only a CORS filter belongs
 * in front, because preflights carry no token and are refused like any other request without one. Jetty puts its
 * WebSocket filter in front of all others; this filter then refuses to start, and says what to add. Registered in code,
 * {@code addMappingForUrlPatterns(EnumSet.allOf(DispatcherType.class), false, "/*")}: with {@code true} Tomcat would open
 * WebSockets before it asks this filter, which then refuses to start too.
 *
 * <p>A request that got in with an identity has it as the attribute {@link #ATTRIBUTE}, as {@link #identity} and as its
 * principal; {@code isUserInRole} asks for the user's groups. FORWARD, INCLUDE, ERROR and ASYNC dispatches keep the
 * decision about the request that they belong to.
 *
 * <p>A {@link VerifyException} that the application throws, by {@link Admission#requireGroup} for example, is answered as
 * a refusal too.
 */
public final class PomeriumFilter implements Filter {
    /** The request attribute that holds the {@link Identity}. Absent if the request got in without a token. */
    public static final String ATTRIBUTE = "pomerium";

    /** The name of the init parameter with options as a JSON object: for web.xml. */
    public static final String OPTIONS_PARAMETER = "options";

    private static final String DECISION = "io.github.pomeriumjwt.servlet.decision";

    private final @Nullable Options options;
    private final @Nullable Verifier given;
    private final @Nullable ErrorHandler errorHandler;
    private final Guard.@Nullable OnRefused onRefused;

    private volatile @Nullable Guard guard;

    /** What a filter has decided about a request. Two filters in one chain each decide for themselves. */
    private record Decision(PomeriumFilter filter, Admission admission) {}

    /** Renders the body of a refusal, such as a page for people. Status and headers stay, except for the Content-Type. */
    @FunctionalInterface
    public interface ErrorHandler {
        /**
         * Renders a refusal.
         *
         * @param refusal its message is for logs, not for the client
         * @param request that is refused
         */
        ErrorBody render(VerifyException refusal, HttpServletRequest request);
    }

    /**
     * The body of a refusal, in UTF-8.
     *
     * @param contentType such as {@code text/html;charset=utf-8}
     * @param text of the body
     */
    public record ErrorBody(String contentType, String text) {}

    /**
     * A filter with the options of the init parameter {@code options}, a JSON object with the names that all languages
     * have, laid over those of the environment. For web.xml; the environment alone suffices.
     */
    public PomeriumFilter() {
        this(builder());
    }

    private PomeriumFilter(Builder builder) {
        options = builder.options;
        given = builder.verifier;
        errorHandler = builder.errorHandler;
        onRefused = builder.onRefused;
        guard = given == null ? null : new Guard(given, onRefused);
    }

    /** A filter with a verifier made before, which stays yours to close; the environment is not read. */
    public static PomeriumFilter of(Verifier verifier) {
        return builder().verifier(verifier).build();
    }

    /** A filter with settings. Without any it has the options of the environment. */
    public static Builder builder() {
        return new Builder();
    }

    /** Who sent the request. Empty if it got in without a token, or has not come through this filter. */
    public static Optional<Identity> identity(ServletRequest request) {
        return decision(request).flatMap(decision -> decision.admission().identity());
    }

    /**
     * How the request got in, for {@link Admission#requireUser} and {@link Admission#requireGroup}.
     *
     * @throws IllegalStateException if it has not come through this filter, so that nothing has been verified
     */
    public static Admission admission(ServletRequest request) {
        return decision(request)
                .orElseThrow(() -> new IllegalStateException(
                        "the request has not come through PomeriumFilter, so nothing has been verified: map the filter "
                                + "to /* and to every dispatcher type"))
                .admission();
    }

    /**
     * Whether a filter of this class has let the request in, with an identity or without. False means that nobody has
     * looked at it: the filter does not cover its path or its dispatch, or comes later. Then refuse it.
     */
    public static boolean hasDecided(ServletRequest request) {
        return decision(request).isPresent();
    }

    private static Optional<Decision> decision(ServletRequest request) {
        return request.getAttribute(DECISION) instanceof Decision decision ? Optional.of(decision) : Optional.empty();
    }

    /**
     * Makes the verifier, unless there is one.
     *
     * @throws VerifyException INVALID_OPTIONS, in a sentence that says what to write instead
     * @throws IllegalStateException if Jetty or Tomcat would open WebSockets before it asks this filter
     */
    @Override
    public void init(FilterConfig config) {
        FilterOrder.check(config);
        if (given == null) {
            guard = new Guard(Verifier.overEnv(configured(config)), onRefused);
        }
    }

    private Options configured(FilterConfig config) {
        String parameter = config.getInitParameter(OPTIONS_PARAMETER);
        if (options == null) {
            return Options.fromJson(parameter == null ? "{}" : parameter);
        }
        if (parameter != null) {
            throw new IllegalStateException(
                    "PomeriumFilter has options in code and in its init parameter: keep one of them");
        }
        return options;
    }

    /** Closes the verifier, if this filter has made it. */
    @Override
    public void destroy() {
        Guard last = guard;
        if (last != null && given == null) {
            guard = null;
            last.verifier().close();
        }
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        Guard current = guard;
        if (current == null) {
            throw new ServletException("PomeriumFilter is not initialised: register it with the container");
        }
        if (!(request instanceof HttpServletRequest from) || !(response instanceof HttpServletResponse to)) {
            throw new ServletException("PomeriumFilter takes HTTP requests only");
        }
        Admission admission;
        try {
            admission = admit(current, from);
        } catch (VerifyException refusal) {
            if (from.getDispatcherType() == DispatcherType.ERROR) {
                to.reset(); // the container's page about an error has brought headers
            }
            Refusals.answer(from, to, refusal, errorHandler);
            return;
        }
        Refusals.Headers headers = Refusals.Headers.of(to);
        try {
            chain.doFilter(PomeriumRequest.of(from, admission), to);
        } catch (RuntimeException | ServletException thrown) {
            // An included response takes neither status nor headers: the filter around it answers
            if (from.getDispatcherType() == DispatcherType.INCLUDE || !answered(current, from, to, headers, thrown)) {
                throw thrown;
            }
        }
    }

    private Admission admit(Guard current, HttpServletRequest request) {
        Decision before = decision(request).orElse(null);
        if (before != null && before.filter() == this) {
            return before.admission();
        }
        Admission admission = current.admit(Facts.of(request, current.headerName()), Facts.shownPath(request));
        request.setAttribute(DECISION, new Decision(this, admission));
        request.setAttribute(ATTRIBUTE, admission.identity().orElse(null)); // null removes another filter's
        return admission;
    }

    /** What the application demands in addition is refused in the same form, and no container shows the message. */
    private boolean answered(
            Guard current, HttpServletRequest from, HttpServletResponse to, Refusals.Headers headers, Exception thrown)
            throws IOException {
        VerifyException refusal = Refusals.in(thrown);
        if (refusal == null) {
            return false;
        }
        current.refused(refusal, Facts.shownPath(from));
        if (to.isCommitted()) {
            return false; // too late for an answer: the container ends the connection
        }
        headers.restore(to);
        Refusals.answer(from, to, refusal, errorHandler);
        return true;
    }

    /** The settings of a filter. */
    public static final class Builder {
        private @Nullable Options options;
        private @Nullable Verifier verifier;
        private @Nullable ErrorHandler errorHandler;
        private Guard.@Nullable OnRefused onRefused;

        private Builder() {}

        /**
         * Options that are laid over those of the environment: they win, option by option. The verifier is made when the
         * container starts the filter, and closed when it ends it.
         */
        public Builder options(Options value) {
            options = Objects.requireNonNull(value, "options");
            return this;
        }

        /** A verifier made before, which stays yours to close. The environment is not read then. */
        public Builder verifier(Verifier value) {
            verifier = Objects.requireNonNull(value, "verifier");
            return this;
        }

        /** Renders the body of refusals. The default is JSON with the code: {@code {"error":"token_expired"}}. */
        public Builder errorHandler(ErrorHandler value) {
            errorHandler = Objects.requireNonNull(value, "errorHandler");
            return this;
        }

        /** Called for each refusal. The default is a warning in the log, at most one line a second for the same code. */
        public Builder onRefused(Guard.OnRefused value) {
            onRefused = Objects.requireNonNull(value, "onRefused");
            return this;
        }

        /**
         * Makes the filter.
         *
         * @throws IllegalStateException with options and a verifier
         */
        public PomeriumFilter build() {
            if (options != null && verifier != null) {
                throw new IllegalStateException("PomeriumFilter takes options or a verifier that has them, not both");
            }
            return new PomeriumFilter(this);
        }
    }
}
