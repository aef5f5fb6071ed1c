package io.github.pomeriumjwt.servlet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServlet;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleState;
import org.apache.tomcat.websocket.server.WsSci;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Filters registered in code after Tomcat's own for WebSockets, which would open them unverified. */
class TomcatOrderTest {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();
    private static final EnumSet<DispatcherType> ALL = EnumSet.allOf(DispatcherType.class);

    /** Tomcat asks no filter about what no servlet is mapped to. */
    @SuppressWarnings("serial")
    private static final class App extends HttpServlet {}

    /** Keeps why the filter does not start: Tomcat only logs it. */
    private static final class Observed implements Filter {
        private final PomeriumFilter filter;
        private @Nullable Exception failure;

        Observed(Verifier verifier) {
            filter = PomeriumFilter.of(verifier);
        }

        @Override
        public void init(FilterConfig config) {
            try {
                filter.init(config);
            } catch (IllegalStateException wrong) {
                failure = wrong;
                throw wrong;
            }
        }

        @Override
        public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
                throws IOException, ServletException {
            filter.doFilter(request, response, chain);
        }
    }

    /** An application with WebSockets that maps the filter as told; why it does not start, or null. */
    private static @Nullable Exception start(Consumer<FilterRegistration.Dynamic> mapping) throws Exception {
        try (Verifier verifier = ISSUER.verifier(); Server server = new Server()) {
            Observed filter = new Observed(verifier);
            Context application = server.add("", Map.of("/", new App()), List.of(), context -> {
                context.addServletContainerInitializer(new WsSci(), Set.of(JettyTest.Socket.class));
                context.addServletContainerInitializer(
                        (classes, servletContext) -> mapping.accept(servletContext.addFilter("pomerium", filter)), Set.of());
            });
            server.start();
            assertEquals(filter.failure == null, application.getState() == LifecycleState.STARTED);
            if (filter.failure == null) {
                assertEquals(401, server.get("/ws").statusCode());
            }
            return filter.failure;
        }
    }

    @Test
    void theRightOneStarts() throws Exception {
        assertNull(start(filter -> filter.addMappingForUrlPatterns(ALL, false, "/*")));
    }

    @Test
    void theWrongOneDoesNot() throws Exception {
        List<Consumer<FilterRegistration.Dynamic>> wrong = List.of(
                filter -> filter.addMappingForUrlPatterns(ALL, true, "/*"),
                filter -> filter.addMappingForServletNames(ALL, false, "/"));
        for (Consumer<FilterRegistration.Dynamic> mapping : wrong) {
            Exception failure = start(mapping);
            assertTrue(String.valueOf(failure).contains("Tomcat opens WebSockets before"), String.valueOf(failure));
        }
    }
}
