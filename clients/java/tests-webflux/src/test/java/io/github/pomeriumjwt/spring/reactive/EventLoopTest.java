package io.github.pomeriumjwt.spring.reactive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import example.App;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two threads for all connections, and a key server that hangs for longer than the test may take. */
class EventLoopTest {
    private static final int REQUESTS = 200;

    @Test
    @Timeout(55)
    void requestsThatWaitForKeysHoldUpNothing() throws Exception {
        try (KeyServer keys = new KeyServer();
                Running application = Running.start(
                        App.class,
                        "pomerium.jwt.route=" + keys.route(),
                        "pomerium.jwt.timeout=60s",
                        "pomerium.jwt.exempt-paths=/health")) {
            List<AtomicLong> tickers = tickers(application);
            assertEquals(2, tickers.size(), "threads for all connections");

            // One connection each: the client speaks HTTP/1.1 to this server
            List<String> users = List.of("ada", "bob");
            HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
            for (int number = 0; number < REQUESTS; number++) {
                String token = keys.issuer().token(Map.of("sub", users.get(number % 2)));
                answers.add(client.sendAsync(
                        application.request("/who").header(PomeriumTestIssuer.HEADER, token).build(),
                        HttpResponse.BodyHandlers.ofString()));
            }
            while (keys.fetches() == 0) {
                Thread.sleep(5);
            }
            for (int number = 0; number < 20; number++) {
                assertEquals(200, application.get("/health").statusCode());
            }
            for (AtomicLong ticks : tickers) {
                long then = ticks.get();
                while (ticks.get() < then + 200) {
                    Thread.sleep(5);
                }
            }
            assertFalse(answers.stream().anyMatch(CompletableFuture::isDone), "there are no keys yet");

            keys.answer();
            for (int number = 0; number < REQUESTS; number++) {
                String body = answers.get(number).get().body();
                assertEquals("{\"reached\":true,\"subject\":\"%s\"}".formatted(users.get(number % 2)), sorted(body));
            }
            assertEquals(1, keys.fetches());
        }
    }

    /** One on each thread of the server. */
    private static List<AtomicLong> tickers(Running application) {
        List<AtomicLong> tickers = new ArrayList<>();
        application.eventLoops().forEach(loop -> {
            AtomicLong ticks = new AtomicLong();
            loop.scheduleWithFixedDelay(ticks::incrementAndGet, 1, 1, TimeUnit.MILLISECONDS);
            tickers.add(ticks);
        });
        return tickers;
    }

    private static String sorted(String body) {
        return body.startsWith("{\"subject") ? body.replaceFirst("\\{(.*),(.*)}", "{$2,$1}") : body;
    }
}
