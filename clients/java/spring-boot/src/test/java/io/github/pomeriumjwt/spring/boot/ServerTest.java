package io.github.pomeriumjwt.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import example.ExampleApplication;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** Over sockets: Actuator, on the application's port and on one of its own, and a proxy's headers. */
class ServerTest {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer("127.0.0.1");
    private static final AtomicBoolean DOWN = new AtomicBoolean(true);

    /** How often the keys were fetched before the application had started. */
    private static long fetchesAtStart;

    private static HttpServer keys;
    private static ConfigurableApplicationContext application;

    @BeforeAll
    static void start() throws IOException {
        keys = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        AtomicLong fetches = new AtomicLong();
        keys.createContext("/.well-known/pomerium/jwks.json", exchange -> {
            fetches.incrementAndGet();
            byte[] body = ISSUER.keySet().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(DOWN.get() ? 500 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        keys.start();
        application = new SpringApplicationBuilder(ExampleApplication.class).run(
                "--server.port=0", "--management.server.port=0", "--management.endpoints.web.exposure.include=*",
                "--management.endpoint.health.probes.enabled=true", "--server.forward-headers-strategy=framework",
                "--management.endpoint.health.show-details=always",
                "--pomerium.jwt.exempt-paths=/open,/files/*,/actuator/health/readiness",
                "--pomerium.jwt.route=http://127.0.0.1:" + keys.getAddress().getPort());
        fetchesAtStart = fetches.get();
    }

    @AfterAll
    static void stop() {
        application.close();
        keys.stop(0);
    }

    private static HttpResponse<String> ask(String port, String path, String... headers) throws Exception {
        String url = "http://127.0.0.1:" + application.getEnvironment().getProperty(port) + path;
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).header("X-Test", "yes");
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void startingNeedsNoNetwork() {
        assertEquals(0, fetchesAtStart);
    }

    @Test
    void readinessFollowsTheKeys() throws Exception {
        String port = "local.management.port";
        assertEquals(503, ask("local.server.port", "/", PomeriumTestIssuer.HEADER, ISSUER.token()).statusCode());
        HttpResponse<String> without = ask(port, "/actuator/health/readiness");
        assertEquals(503, without.statusCode(), without.body());
        assertTrue(without.body().contains("OUT_OF_SERVICE"), without.body());
        assertEquals(401, ask(port, "/actuator/health/liveness").statusCode());

        DOWN.set(false);
        application.getBean(io.github.pomeriumjwt.Verifier.class).forceRefresh();
        assertEquals(200, ask(port, "/actuator/health/readiness").statusCode());
        assertEquals(200, ask(port, "/actuator/health/liveness", PomeriumTestIssuer.HEADER, ISSUER.token()).statusCode());
        HttpResponse<String> all = ask(port, "/actuator/health", PomeriumTestIssuer.HEADER, ISSUER.token());
        assertTrue(all.body().contains("\"configured\":true"), all.body());
    }

    @Test
    void managementOnItsOwnPortIsProtected() throws Exception {
        assertEquals(401, ask("local.management.port", "/actuator/env").statusCode());
        assertEquals(401, ask("local.management.port", "/actuator/metrics").statusCode());
    }

    @Test
    void aPrefixThatAHeaderNamesExemptsNothing() throws Exception {
        assertEquals(200, ask("local.server.port", "/open").statusCode());
        assertEquals(401, ask("local.server.port", "/", "X-Forwarded-Prefix", "/files").statusCode());
        assertEquals(401, ask("local.server.port", "/who", "X-Forwarded-Prefix", "/files/x").statusCode());
        assertEquals(401, ask("local.server.port", "/open", "X-Forwarded-Prefix", "/x").statusCode());
    }
}
