package io.github.pomeriumjwt.spring.reactive;

import io.github.pomeriumjwt.Admission;
import io.github.pomeriumjwt.Guard;
import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.VerifyException;
import io.github.pomeriumjwt.spring.IdentityAuthorities;
import io.github.pomeriumjwt.spring.PomeriumAuthentication;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.http.server.reactive.HttpHandler;
import org.springframework.http.server.reactive.HttpHandlerDecoratorFactory;
import org.springframework.security.core.context.ReactiveSecurityContextHolder;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Lets in requests that the verifier admits, and answers the others itself: with the status 401, 403 (groups) or 503 (no
 * keys), and the code alone as the body. Blocks no thread while keys are fetched.
 *
 * <p><b>It belongs in front of all other filters</b>, where {@link #getOrder} puts it, and covers what comes after it: every
 * handler, router function, static file and WebSocket, and Spring Security. What a filter in front of it answers is not
 * protected, and neither are routes that are added to the server itself (Spring Boot's {@code NettyRouteProvider}, which
 * RSocket over WebSockets uses). Only a CORS filter belongs in front, because preflights carry no token and are refused like
 * any other request without one.
 *
 * <p>A user who got in is Spring Security's authentication in every chain, a {@link PomeriumAuthentication} with authorities
 * from groups, whatever a session says; {@link #identity} has the user too.
 *
 * <p>A {@link VerifyException} that the application signals, by {@link Admission#requireGroup} for example, is answered as
 * a refusal too.
 *
 * <p>As a bean it does all of this by itself. By hand, without an application context, name it twice, so that it sees the
 * path as it was sent: {@code WebHttpHandlerBuilder.webHandler(handler).filter(pomerium).httpHandlerDecorator(pomerium)};
 * without the second one no path is exempt.
 */
public final class PomeriumWebFilter implements WebFilter, HttpHandlerDecoratorFactory, Ordered {
    /** Where it belongs: long before Spring Security, which is at -100. */
    public static final int ORDER = Ordered.HIGHEST_PRECEDENCE + 10;

    /** The exchange's attribute that holds the {@link Identity}. Absent if the request got in without a token. */
    public static final String ATTRIBUTE = "pomerium";

    private static final String DECISION = "io.github.pomeriumjwt.spring.reactive.decision";

    private static final Executor AFTER_A_FETCH = work -> Schedulers.parallel().schedule(work);

    private final Guard guard;
    private final IdentityAuthorities authorities;
    private final @Nullable ErrorHandler errorHandler;

    /** Renders the body of a refusal, such as a page for people. Status and headers stay, except for the Content-Type. */
    @FunctionalInterface
    public interface ErrorHandler {
        /**
         * Renders a refusal.
         *
         * @param refusal its message is for logs, not for the client
         * @param exchange whose request is refused
         */
        ErrorBody render(VerifyException refusal, ServerWebExchange exchange);
    }

    /**
     * The body of a refusal, in UTF-8.
     *
     * @param contentType such as {@code text/html;charset=utf-8}
     * @param text of the body
     */
    public record ErrorBody(String contentType, String text) {}

    private PomeriumWebFilter(Builder builder) {
        guard = new Guard(builder.verifier, builder.onRefused);
        authorities = builder.authorities;
        errorHandler = builder.errorHandler;
    }

    /** A filter with a verifier, which stays yours to close. */
    public static PomeriumWebFilter of(Verifier verifier) {
        return builder(verifier).build();
    }

    /** A filter with settings, and with a verifier, which stays yours to close. */
    public static Builder builder(Verifier verifier) {
        return new Builder(verifier);
    }

    /** Who sent the request. Empty if it got in without a token, or has not come through this filter. */
    public static Optional<Identity> identity(ServerWebExchange exchange) {
        return decision(exchange).flatMap(Admission::identity);
    }

    /**
     * How the request got in, for {@link Admission#requireUser} and {@link Admission#requireGroup}.
     *
     * @throws IllegalStateException if it has not come through this filter, so that nothing has been verified
     */
    public static Admission admission(ServerWebExchange exchange) {
        return decision(exchange)
                .orElseThrow(() -> new IllegalStateException(
                        "the request has not come through PomeriumWebFilter, so nothing has been verified: make the filter a "
                                + "bean, with its own order"));
    }

    /**
     * Whether a filter of this class has let the request in, with an identity or without. False means that nobody has
     * looked at it: there is no such filter, or it comes later. Then refuse it.
     */
    public static boolean hasDecided(ServerWebExchange exchange) {
        return decision(exchange).isPresent();
    }

    private static Optional<Admission> decision(ServerWebExchange exchange) {
        return exchange.getAttribute(DECISION) instanceof Admission admission ? Optional.of(admission) : Optional.empty();
    }

    @Override
    public int getOrder() {
        return ORDER;
    }

    /** Remembers the path as it was sent: this is called before anything in the application sees the request. */
    @Override
    public HttpHandler apply(HttpHandler application) {
        return (request, response) -> {
            Target target = Target.of(request);
            return application.handle(request, response).contextWrite(context -> context.put(Target.class, target));
        };
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        return Mono.deferContextual(context -> admit(exchange, context.getOrDefault(Target.class, Target.UNKNOWN)))
                .map(admission -> letIn(exchange, chain, admission))
                .onErrorResume(VerifyException.class, refusal -> Mono.just(refuse(exchange, refusal)))
                .flatMap(answer -> answer);
    }

    private Mono<Admission> admit(ServerWebExchange exchange, Target target) {
        return Mono.fromFuture(() ->
                guard.verifier().admitAsync(Facts.of(exchange.getRequest(), target, guard.headerName()), AFTER_A_FETCH));
    }

    private Mono<Void> letIn(ServerWebExchange exchange, WebFilterChain chain, Admission admission) {
        exchange.getAttributes().put(DECISION, admission);
        exchange.getAttributes().remove(ATTRIBUTE); // another filter's
        admission.identity().ifPresent(identity -> exchange.getAttributes().put(ATTRIBUTE, identity));
        Refusals.Revocable response = new Refusals.Revocable(exchange.getResponse());
        ServerWebExchange inner = exchange.mutate().response(response).build();
        return admission.identity()
                .filter(Identity::isUser)
                .map(user -> asUser(inner, chain, user))
                .orElseGet(() -> chain.filter(inner))
                .onErrorResume(thrown -> refusedByTheApplication(exchange, response, thrown));
    }

    /** Every chain of Spring Security takes the user who is there already, and none from a session. */
    private Mono<Void> asUser(ServerWebExchange exchange, WebFilterChain chain, Identity user) {
        PomeriumAuthentication authentication = new PomeriumAuthentication(user, authorities.of(user));
        return chain.filter(exchange.mutate().principal(Mono.just(authentication)).build())
                .contextWrite(ReactiveSecurityContextHolder.withAuthentication(authentication));
    }

    /** What the application demands in addition is refused in the same form, and nothing shows the message. */
    private Mono<Void> refusedByTheApplication(
            ServerWebExchange exchange, Refusals.Revocable response, Throwable thrown) {
        VerifyException refusal = Refusals.in(thrown);
        if (refusal == null) {
            return Mono.error(thrown);
        }
        if (response.isCommitted()) {
            guard.refused(refusal, shownPath(exchange));
            return Mono.error(thrown); // too late for an answer: the server ends the connection
        }
        response.revoke();
        return refuse(exchange, refusal);
    }

    private Mono<Void> refuse(ServerWebExchange exchange, VerifyException refusal) {
        guard.refused(refusal, shownPath(exchange));
        return Refusals.answer(exchange, refusal, errorHandler);
    }

    /** For people to read. */
    private static String shownPath(ServerWebExchange exchange) {
        return exchange.getRequest().getURI().getRawPath();
    }

    /** The settings of a filter. */
    public static final class Builder {
        private final Verifier verifier;
        private IdentityAuthorities authorities = IdentityAuthorities.withPrefix(IdentityAuthorities.DEFAULT_PREFIX);
        private @Nullable ErrorHandler errorHandler;
        private Guard.@Nullable OnRefused onRefused;

        private Builder(Verifier verifier) {
            this.verifier = Objects.requireNonNull(verifier, "verifier");
        }

        /** What users may do. The default is a role for each group. */
        public Builder authorities(IdentityAuthorities value) {
            authorities = Objects.requireNonNull(value, "authorities");
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

        /** Makes the filter. */
        public PomeriumWebFilter build() {
            return new PomeriumWebFilter(this);
        }
    }
}
