package io.github.pomeriumjwt.spring.reactive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.lang.reflect.Proxy;
import java.net.http.HttpResponse;
import minimal.Minimal;
import org.junit.jupiter.api.Test;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.util.ClassUtils;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/** What an application puts in the place of the filter, or in front of it. */
class OrderTest {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();

    private static Running start(Verifier verifier, Class<?> own) {
        ApplicationContextInitializer<GenericApplicationContext> beans = context -> {
            context.registerBean(Verifier.class, () -> verifier);
            context.registerBean(own);
        };
        return Running.start(Minimal.class, beans);
    }

    @Configuration(proxyBeanMethods = false)
    static class TooLate {
        @Bean
        @Order(0)
        PomeriumWebFilter mine(Verifier verifier) {
            return PomeriumWebFilter.of(verifier);
        }
    }

    @Test
    void aFilterAfterSpringSecurityDoesNotStart() {
        try (Verifier verifier = ISSUER.verifier()) {
            RuntimeException wrong = assertThrows(RuntimeException.class, () -> start(verifier, TooLate.class).close());
            assertTrue(wrong.getMessage().startsWith("Spring Security comes before PomeriumWebFilter"), wrong::getMessage);
        }
    }

    /** As RSocket over WebSockets has it: the type is another in Spring Boot 3 than in 4. */
    @Test
    void routesOfTheServerDoNotStart() {
        ClassLoader loader = OrderTest.class.getClassLoader();
        Class<?> type = ClassUtils.resolveClassName(
                ClassUtils.isPresent("org.springframework.boot.reactor.netty.NettyRouteProvider", loader)
                        ? "org.springframework.boot.reactor.netty.NettyRouteProvider"
                        : "org.springframework.boot.web.embedded.netty.NettyRouteProvider",
                loader);
        Object none = Proxy.newProxyInstance(loader, new Class<?>[] {type}, (proxy, method, arguments) -> arguments[0]);
        try (Verifier verifier = ISSUER.verifier()) {
            ApplicationContextInitializer<GenericApplicationContext> beans = context -> {
                context.registerBean(Verifier.class, () -> verifier);
                context.getBeanFactory().registerSingleton("myRoutes", none);
            };
            RuntimeException wrong = assertThrows(
                    RuntimeException.class, () -> Running.start(Minimal.class, beans).close());
            assertTrue(wrong.getMessage().startsWith("the bean myRoutes adds routes to the server"), wrong::getMessage);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Page {
        @Bean
        PomeriumWebFilter.ErrorHandler page() {
            return (refusal, exchange) -> new PomeriumWebFilter.ErrorBody("text/html;charset=utf-8", "<p>" + refusal.code() + "</p>");
        }
    }

    @Test
    void anErrorHandlerRendersTheBodyAlone() throws Exception {
        try (Verifier verifier = ISSUER.verifier();
                Running application = start(verifier, Page.class)) {
            HttpResponse<String> refused = application.get("/");
            assertEquals(401, refused.statusCode());
            assertEquals("<p>token_missing</p>", refused.body());
            assertEquals("text/html;charset=utf-8", refused.headers().firstValue("Content-Type").orElseThrow());
            assertEquals("no-store", refused.headers().firstValue("Cache-Control").orElseThrow());
        }
    }

    /** Leaves nothing in the exchange that would show that ours has been asked. */
    static final class Forgetful implements WebFilter, Ordered {
        @Override
        public int getOrder() {
            return PomeriumWebFilter.ORDER + 1;
        }

        @Override
        public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
            exchange.getAttributes().clear();
            return chain.filter(exchange);
        }
    }

    @Test
    void whatNobodyHasJudgedIsRefused() throws Exception {
        try (Verifier verifier = ISSUER.verifier();
                Running application = start(verifier, Forgetful.class)) {
            assertEquals(403, application.get("/", Running.as(ISSUER.token())).statusCode());
        }
    }

    @Order(Ordered.HIGHEST_PRECEDENCE)
    static final class Failing implements WebFilter {
        @Override
        public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
            return exchange.getRequest().getPath().value().equals("/fails")
                    ? Mono.error(new IllegalArgumentException("in front"))
                    : chain.filter(exchange);
        }
    }

    @Test
    void anErrorInFrontOpensNothing() throws Exception {
        try (Verifier verifier = ISSUER.verifier();
                Running application = start(verifier, Failing.class)) {
            assertEquals(500, application.get("/fails").statusCode());
            assertEquals(401, application.get("/error").statusCode());
            assertEquals(401, application.get("/").statusCode());
        }
    }
}
