package io.github.pomeriumjwt.spring.reactive;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import minimal.Minimal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/** Exempt is what the client has sent, if the application routes by it. */
class PathsTest {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();

    private static Running start(Verifier verifier, String... properties) {
        return Running.start(Minimal.class, beans -> beans.registerBean(Verifier.class, () -> verifier), properties);
    }

    private static Verifier verifier() {
        return Verifier.of(ISSUER.options().exemptPaths("/open", "/files/*", "/app/open", "/app/files/*").build());
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "native", "framework"})
    void aPrefixThatAHeaderNamesExemptsNothing(String strategy) throws Exception {
        try (Verifier verifier = verifier();
                Running application = start(verifier, "server.forward-headers-strategy=" + strategy)) {
            assertEquals(200, application.get("/open").statusCode());
            assertEquals(200, application.get("/open", "X-Forwarded-Proto", "https", "X-Forwarded-For", "1.2.3.4").statusCode());
            for (String prefix : new String[] {"/files", "/files/x", "/open", "/app", "/files/..", "files"}) {
                int status = application.get("/who", "X-Forwarded-Prefix", prefix).statusCode();
                assertEquals(true, status == 401 || status == 400, prefix + ": " + status);
                assertEquals(401, application.get("/who", "Forwarded", "host=x;path=" + prefix).statusCode());
            }
            assertEquals("none".equals(strategy) ? 200 : 401, application.get("/open", "X-Forwarded-Prefix", "/x").statusCode());
            assertEquals(401, application.get("/who", "X-Original-URL", "/open", "X-Rewrite-URL", "/open").statusCode());
        }
    }

    @Test
    void aBasePathIsPartOfThePath() throws Exception {
        try (Verifier verifier = verifier();
                Running application = start(
                        verifier, "spring.webflux.base-path=/app", "server.forward-headers-strategy=framework")) {
            assertEquals(200, application.get("/app/open").statusCode());
            assertEquals(401, application.get("/app/who").statusCode());
            assertEquals(404, application.get("/open").statusCode()); // no application is there
            // With this header Spring forgets the base path, and routes /app/open by the whole
            assertEquals(401, application.get("/app/open", "X-Forwarded-Prefix", "/").statusCode());
        }
    }

    /** In front of all others. */
    @Order(Ordered.HIGHEST_PRECEDENCE)
    private record Rewriting(String to, String contextPath) implements WebFilter {
        @Override
        public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
            return chain.filter(exchange.mutate().request(request -> request.path(to).contextPath(contextPath)).build());
        }
    }

    @Test
    void aRewrittenPathIsNotExempt() throws Exception {
        Rewriting[] filters = {new Rewriting("/who", ""), new Rewriting("/open", ""), new Rewriting("/files/who", "/files")};
        for (Rewriting filter : filters) {
            try (Verifier verifier = verifier();
                    Running application = Running.start(Minimal.class, beans -> {
                        beans.registerBean(Verifier.class, () -> verifier);
                        beans.registerBean(Rewriting.class, () -> filter);
                    })) {
                String sent = filter.contextPath().isEmpty() ? "/open" : "/files/who";
                int expected = filter.to().equals("/open") ? 200 : 401; // rewritten into what it was
                assertEquals(expected, application.get(sent).statusCode(), filter::toString);
                assertEquals(401, application.get("/who").statusCode(), filter::toString);
            }
        }
    }
}
