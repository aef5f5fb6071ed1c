package io.github.pomeriumjwt.spring.reactive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pomeriumjwt.Guard;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import minimal.Minimal;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** An application without settings of its own, over sockets. */
class ServerTest {
    private static final List<String> REFUSED = new CopyOnWriteArrayList<>();

    private static KeyServer keys;
    private static Running application;

    @BeforeAll
    static void start() throws IOException {
        keys = new KeyServer();
        application = Running.start(
                Minimal.class,
                beans -> beans.registerBean(Guard.OnRefused.class, () -> (refusal, path) -> REFUSED.add(refusal.code() + " " + path)),
                "pomerium.jwt.route=" + keys.route(),
                "pomerium.jwt.exempt-paths=/open,/files/*,/actuator/health/readiness",
                "pomerium.jwt.timeout=1s",
                "spring.web.resources.static-locations=classpath:/example/",
                "server.error.include-message=always", "spring.web.error.include-message=always",
                "server.error.include-stacktrace=always", "spring.web.error.include-stacktrace=always",
                "management.server.port=0", "management.endpoints.web.exposure.include=*",
                "management.endpoint.health.probes.enabled=true", "management.endpoint.health.show-details=always");
        assertEquals(0, keys.fetches(), "starting needs no network");
        readinessFollowsTheKeys();
    }

    @AfterAll
    static void stop() {
        application.close();
        keys.close();
    }

    private static void readinessFollowsTheKeys() {
        try {
            HttpResponse<String> unavailable = application.get("/", Running.as(keys.issuer().token()));
            assertEquals("503 {\"error\":\"keys_unavailable\"}", shown(unavailable));
            assertTrue(unavailable.headers().firstValue("Retry-After").isPresent());
            assertEquals(503, actuator("/health/readiness").statusCode());
            keys.answer();
            application.context.getBean(Verifier.class).forceRefresh();
            assertEquals(200, actuator("/health/readiness").statusCode());
        } catch (Exception wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    private static HttpResponse<String> actuator(String path, String... headers) throws Exception {
        String url = "http://127.0.0.1:" + application.port("management") + "/actuator" + path;
        return Running.send(HttpRequest.newBuilder(URI.create(url)), headers);
    }

    private static String[] user(String subject, String... groups) {
        return Running.as(keys.issuer().token(Map.of("sub", subject, "groups", List.of(groups))));
    }

    private static String shown(HttpResponse<String> response) {
        return response.statusCode() + " " + response.body();
    }

    @Test
    void strangersReachNothing() throws Exception {
        for (String path : List.of("/", "/who", "/function", "/App.class", "/nowhere", "/error", "/broken", "/ws")) {
            HttpResponse<String> refused = application.get(path);
            assertEquals("401 {\"error\":\"token_missing\"}", shown(refused), path);
            assertEquals("Bearer error=\"invalid_token\"", refused.headers().firstValue("WWW-Authenticate").orElseThrow());
            assertEquals(List.of("no-store"), refused.headers().allValues("Cache-Control"));
            assertTrue(refused.headers().firstValue("X-Frame-Options").isEmpty(), "Spring Security comes later");
            assertTrue(REFUSED.contains("token_missing " + path), REFUSED::toString);
        }
        assertEquals(200, application.get("/function", user("ada")).statusCode());
        assertEquals(200, application.get("/App.class", user("ada")).statusCode());
        assertEquals(404, application.get("/nowhere", user("ada")).statusCode());
    }

    @Test
    void everySpellingButTheExemptOneIsRefused() throws Exception {
        String host = "http://127.0.0.1";
        assertTrue(application.raw("/open").startsWith("HTTP/1.1 200 "));
        assertTrue(application.raw("/open?x=/who").startsWith("HTTP/1.1 200 "));
        assertTrue(application.raw(host + "/open").startsWith("HTTP/1.1 200 "));
        List<String> others = List.of(
                "//open", "/open/", "/open;x", "/open;/../who", "/OPEN", "/%6fpen", "/open%2f", "/open%00", "/./open", "/x/../open",
                "/open/..;/who", "/files/../who", "/files/..;/who", "/files/%2e%2e/who", "/files//x", "/files/;x", "/files/x;y=/..",
                "/files/.", "/open#x", "open", "@x/open", ":1/open", "x:/open", "*", "ftp://127.0.0.1/open", host + "//open",
                host + "?/open", host + "#/open", "http:/open", "//127.0.0.1/open", "\\open");
        for (String target : others) {
            String answer = application.raw(target);
            assertTrue(answer.startsWith("HTTP/1.1 40"), target + ": " + answer);
            assertFalse(answer.contains("identity"), target + ": " + answer);
        }
    }

    @Test
    void severalTokensAreNone() throws Exception {
        String token = PomeriumTestIssuer.HEADER + ": " + user("ada")[1];
        assertTrue(application.raw("/", token).startsWith("HTTP/1.1 200 "));
        List<String[]> repeated = List.of(
                new String[] {token, token},
                new String[] {token, PomeriumTestIssuer.HEADER + ":"},
                new String[] {PomeriumTestIssuer.HEADER.toLowerCase(java.util.Locale.ROOT) + ": x", token},
                new String[] {token + "," + user("bob")[1]});
        for (String[] lines : repeated) {
            assertTrue(application.raw("/", lines).endsWith("{\"error\":\"token_repeated\"}"), String.join("\n", lines));
        }
    }

    @Test
    void everyChainKnowsTheUser() throws Exception {
        assertTrue(application.get("/", user("ada")).body().contains("\"subject\":\"ada\""));
        assertTrue(application.get("/", user("bob")).body().contains("\"subject\":\"bob\""));
        String who = application.get("/who", user("ada", "admins", "staff")).body();
        assertTrue(who.contains("\"principal\":\"ada\"") && who.contains("[\"ROLE_admins\",\"ROLE_staff\"]"), who);
        assertEquals("200 role", shown(application.get("/role", user("ada", "admins"))));
        assertEquals(403, application.get("/role", user("bob", "staff")).statusCode());
        String nobody = application.get("/open").body();
        assertTrue(nobody.contains("\"user\":false") && nobody.contains("\"identity\":false"), nobody);
    }

    @Test
    void theDefaultChainKeepsCsrfProtection() throws Exception {
        HttpRequest.Builder post = application.request("/").POST(HttpRequest.BodyPublishers.noBody());
        assertEquals(401, Running.send(post.copy()).statusCode());
        assertEquals(403, Running.send(post.copy(), user("ada")).statusCode());
        assertEquals(200, application.get("/", user("ada")).statusCode());
        assertEquals(404, application.get("/logout", user("ada")).statusCode());
    }

    @Test
    void whatARouteDemandsIsRefusedInTheSameForm() throws Exception {
        assertEquals(200, application.get("/group", user("ada", "admins")).statusCode());
        for (String path : List.of("/group", "/wrapped")) {
            HttpResponse<String> refused = application.get(path, user("bob", "staff"));
            assertEquals("403 {\"error\":\"group_required\"}", shown(refused), path);
            assertEquals(List.of("no-store"), refused.headers().allValues("Cache-Control"));
            assertTrue(refused.headers().firstValue("X-Secret").isEmpty());
            assertTrue(refused.headers().firstValue("Set-Cookie").isEmpty());
            assertTrue(REFUSED.contains("group_required " + path), REFUSED::toString);
        }
        assertThrows(IOException.class, () -> application.get("/late", user("bob")), "the connection ends in the middle");
        assertTrue(REFUSED.contains("group_required /late"), REFUSED::toString);
        // The page about an error is the application's: it says what its settings say, to users alone
        assertEquals(500, application.get("/broken", user("ada")).statusCode());
    }

    @Test
    void managementOnItsOwnPortIsProtected() throws Exception {
        for (String path : List.of("", "/env", "/metrics", "/health", "/health/liveness", "/health/readiness/x", "/nowhere")) {
            assertEquals(401, actuator(path).statusCode(), path);
        }
        assertEquals(200, actuator("/env", user("ada")).statusCode());
        assertEquals(200, actuator("/health/liveness", user("ada")).statusCode());
        String health = actuator("/health", user("ada")).body();
        assertTrue(health.contains("\"pomerium\"") && health.contains("\"configured\":true"), health);
        assertFalse(actuator("/health/liveness", user("ada")).body().contains("pomerium"));
    }
}
