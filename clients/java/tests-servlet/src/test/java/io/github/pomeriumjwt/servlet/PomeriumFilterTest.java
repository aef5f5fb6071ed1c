package io.github.pomeriumjwt.servlet;

import static io.github.pomeriumjwt.test.PomeriumTestIssuer.HEADER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Options;
import io.github.pomeriumjwt.RequestOptions;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.VerifyException;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** The filter in Tomcat: what the HTTP suite does not see. */
class PomeriumFilterTest {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();
    private static final Verifier VERIFIER =
            Verifier.of(ISSUER.options().exemptPaths("/open", "/app/open", "/open/*").build());

    @AfterAll
    static void close() {
        VERIFIER.close();
    }

    /** Does what its path says, and then says who is asking, and in which dispatch. */
    @SuppressWarnings("serial")
    private static final class App extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response)
                throws IOException, ServletException {
            switch (request.getDispatcherType() == DispatcherType.REQUEST ? request.getServletPath() : "") {
                case "/forward" -> request.getRequestDispatcher("/who").forward(request, response);
                case "/include" -> request.getRequestDispatcher("/who").include(request, response);
                case "/fail" -> response.sendError(418);
                case "/async" -> {
                    AsyncContext async = request.startAsync();
                    async.start(() -> async.dispatch("/who"));
                }
                case "/group" -> {
                    response.setHeader("X-Handler", "was here");
                    response.getWriter().write("half an answer");
                    PomeriumFilter.admission(request).requireGroup("admins");
                }
                case "/wrapped" -> throw new ServletException(new ServletException(refusal(request)));
                case "/broken" -> throw new ServletException("broken");
                default -> response.getWriter().write(who(request));
            }
        }

        private static VerifyException refusal(HttpServletRequest request) {
            return assertThrows(VerifyException.class, () -> PomeriumFilter.admission(request).requireGroup("admins"));
        }
    }

    private static String who(HttpServletRequest request) {
        String subject = PomeriumFilter.identity(request).map(Identity::subject).orElse("nobody");
        Object attribute = request.getAttribute(PomeriumFilter.ATTRIBUTE);
        assertEquals(PomeriumFilter.identity(request).orElse(null), attribute);
        String name = request.getUserPrincipal() == null ? "none" : request.getUserPrincipal().getName();
        return "%s %s %s %s %s %s".formatted(request.getDispatcherType(), subject, name, request.getRemoteUser(),
                request.isUserInRole("admins"), request.getAuthType());
    }

    private static Server server(Filter... filters) throws Exception {
        Server server = new Server();
        server.add("", Map.of("/", new App()), List.of(filters));
        return server.start();
    }

    private static String token(String... groups) {
        return ISSUER.token(Map.of("groups", List.of(groups)));
    }

    @Test
    void theUserIsThePrincipal() throws Exception {
        try (Server server = server(PomeriumFilter.of(VERIFIER))) {
            assertEquals("REQUEST alice alice alice true POMERIUM", server.get("/who", HEADER, token("admins")).body());
            assertEquals("REQUEST alice alice alice false POMERIUM", server.get("/who", HEADER, token("admin")).body());
            assertEquals("REQUEST nobody none null false null", server.get("/open").body());
            assertEquals(401, server.get("/who").statusCode());
        }
    }

    @Test
    void anAnonymousIdentityIsNobodysPrincipal() throws Exception {
        try (Verifier lenient = Verifier.of(ISSUER.options().allowAnonymous(true).build());
                Server server = server(PomeriumFilter.of(lenient))) {
            HttpResponse<String> answer = server.get("/who", HEADER, ISSUER.token(Map.of("sub", "")));
            assertEquals("REQUEST  none null false null", answer.body());
        }
    }

    @Test
    void dispatchesKeepTheDecision() throws Exception {
        try (Server server = server(PomeriumFilter.of(VERIFIER))) {
            String token = token("admins");
            assertEquals("FORWARD alice alice alice true POMERIUM", server.get("/forward", HEADER, token).body());
            assertEquals("INCLUDE alice alice alice true POMERIUM", server.get("/include", HEADER, token).body());
            assertEquals("ASYNC alice alice alice true POMERIUM", server.get("/async", HEADER, token).body());
            HttpResponse<String> failed = server.get("/fail", HEADER, token);
            assertEquals("418 ERROR alice alice alice true POMERIUM", failed.statusCode() + " " + failed.body());
            for (String path : List.of("/forward", "/include", "/async", "/fail")) {
                assertEquals(401, server.get(path).statusCode(), path);
            }
        }
    }

    /** A filter in front that gives a request away, or another path, makes nothing exempt. */
    @Test
    void whatAFilterInFrontDispatchesOrRewritesIsVerified() throws Exception {
        Filter forwarding = (request, response, chain) -> {
            if (((HttpServletRequest) request).getRequestURI().equals("/away")) {
                request.getRequestDispatcher("/open").forward(request, response);
            } else {
                chain.doFilter(request, response);
            }
        };
        Filter failing = (request, response, chain) -> {
            if (((HttpServletRequest) request).getRequestURI().equals("/open/fails") && request.getAttribute("failed") == null) {
                request.setAttribute("failed", true);
                ((HttpServletResponse) response).sendError(418);
            } else {
                chain.doFilter(request, response);
            }
        };
        Filter wrapping = (request, response, chain) -> chain.doFilter(wrapped((HttpServletRequest) request), response);
        try (Server server = server(forwarding, failing, wrapping, PomeriumFilter.of(VERIFIER))) {
            assertEquals(200, server.get("/open").statusCode());
            assertEquals(401, server.get("/away").statusCode());
            assertEquals(401, server.get("/open/fails").statusCode());
            assertEquals(401, server.get("/secret").statusCode());
            assertTrue(server.get("/away", HEADER, token()).body().startsWith("FORWARD alice"));
        }
    }

    private static HttpServletRequest wrapped(HttpServletRequest request) {
        return new HttpServletRequestWrapper(request) {
            @Override
            public String getRequestURI() {
                return super.getRequestURI().replace("/secret", "/open");
            }
        };
    }

    @Test
    void pathsAreWholeWithTheContextPath() throws Exception {
        Server server = new Server();
        server.add("/app", Map.of("/", new App()), List.of(PomeriumFilter.of(VERIFIER)));
        try (server) {
            server.start();
            assertEquals(200, server.get("/app/open").statusCode());
            assertEquals(401, server.get("/app/open;jsessionid=1").statusCode());
            assertEquals(401, server.get("/app/who").statusCode());
            assertEquals(401, server.get("/app/o%70en").statusCode());
        }
    }

    @Test
    void refusalsOfTheApplicationSayNothingElse() throws Exception {
        Filter cors = (request, response, chain) -> {
            ((HttpServletResponse) response).addHeader("Access-Control-Allow-Origin", "https://front.example.com");
            chain.doFilter(request, response);
        };
        List<String> reported = new ArrayList<>();
        PomeriumFilter filter = PomeriumFilter.builder()
                .verifier(VERIFIER)
                .onRefused((refusal, path) -> reported.add(refusal.code() + " " + path))
                .build();
        try (Server server = server(cors, filter)) {
            for (String path : List.of("/group", "/wrapped")) {
                HttpResponse<String> refused = server.get(path, HEADER, token());
                assertEquals("403 {\"error\":\"group_required\"}", refused.statusCode() + " " + refused.body());
                assertTrue(refused.headers().firstValue("X-Handler").isEmpty());
                assertEquals("https://front.example.com",
                        refused.headers().firstValue("Access-Control-Allow-Origin").orElseThrow());
            }
            assertEquals(500, server.get("/broken", HEADER, token()).statusCode());
            assertEquals(401, server.get("/who").statusCode());
        }
        assertEquals(List.of("group_required /group", "group_required /wrapped", "token_missing /who"), reported);
    }

    @Test
    void anErrorHandlerRendersTheBodyAlone() throws Exception {
        PomeriumFilter filter = PomeriumFilter.builder()
                .verifier(VERIFIER)
                .errorHandler((refusal, request) ->
                        new PomeriumFilter.ErrorBody("text/html;charset=utf-8", "<p>Grüße: " + refusal.code()))
                .build();
        try (Server server = server(filter)) {
            HttpResponse<String> refused = server.get("/who");
            assertEquals("401 <p>Grüße: token_missing", refused.statusCode() + " " + refused.body());
            assertEquals("no-store", refused.headers().firstValue("Cache-Control").orElseThrow());
        }
    }

    /** The outer one lets staff in, the inner one admins: each decides, and the application sees the inner one's answer. */
    @Test
    void twoFiltersDecideEachForItself() throws Exception {
        try (Verifier admins = VERIFIER.with(RequestOptions.builder().requireGroup("admins").build());
                Server server = server(PomeriumFilter.of(VERIFIER), PomeriumFilter.of(admins))) {
            assertEquals(200, server.get("/who", HEADER, token("admins")).statusCode());
            assertEquals(403, server.get("/who", HEADER, token("staff")).statusCode());
            assertEquals(200, server.get("/forward", HEADER, token("admins")).statusCode());
        }
    }

    @Test
    void theFilterOwnsTheVerifierThatItMakes() throws Exception {
        Options options = ISSUER.options().build();
        PomeriumFilter filter = PomeriumFilter.builder().options(options).build();
        try (Server server = server(filter)) {
            assertEquals(200, server.get("/who", HEADER, token()).statusCode());
        }
        assertThrows(IllegalStateException.class, () -> PomeriumFilter.builder().options(options).verifier(VERIFIER).build());
        assertTrue(VERIFIER.health().configured());
    }

    @Test
    void nothingIsVerifiedWithoutTheFilter() throws Exception {
        try (Server server = server()) {
            assertEquals(500, server.get("/group").statusCode());
            assertEquals("REQUEST nobody none null false null", server.get("/who", HEADER, token()).body());
        }
    }

    @Test
    void aPrincipalCanBeStoredAndShowsNobody() throws Exception {
        PomeriumPrincipal principal = new PomeriumPrincipal(VERIFIER.verify(token("admins")));
        java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(principal);
        }
        try (ObjectInputStream in = new ObjectInputStream(new java.io.ByteArrayInputStream(bytes.toByteArray()))) {
            assertEquals(principal, in.readObject());
        }
        assertFalse(principal.toString().contains("alice"), principal.toString());
    }

    @Test
    void connectionsCloseWhenTheirTokenExpires() throws Exception {
        Identity expired = VERIFIER.verifyAt(token(), java.time.Instant.now());
        List<String> closed = new java.util.concurrent.CopyOnWriteArrayList<>();
        Expiry.close(expired, () -> closed.add("later"));
        String old = ISSUER.token(Map.of("exp", java.time.Instant.now().minusSeconds(5)));
        Expiry.close(VERIFIER.verify(old), () -> closed.add("at once")).join(); // within the leeway
        assertEquals(List.of("at once"), closed);
    }
}
