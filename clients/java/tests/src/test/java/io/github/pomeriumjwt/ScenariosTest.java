package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The five scenarios of conformance/scenarios.md, step by step, at the same time. */
@Execution(ExecutionMode.CONCURRENT)
class ScenariosTest {
    private final RunningIssuer issuer = new RunningIssuer();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void end() {
        threads.shutdownNow();
        issuer.close();
    }

    private Verifier verifier(int ttl) {
        return Verifier.of(issuer.options()
                .cacheTtl(Duration.ofSeconds(ttl))
                .timeout(Duration.ofSeconds(2))
                .refetchCooldown(Duration.ofSeconds(1))
                .maxStale(Duration.ofSeconds(60))
                .build());
    }

    /** Null if it is accepted. */
    private static @Nullable ErrorCode outcome(Verifier verifier, String token) {
        try {
            assertEquals("alice", verifier.verify(token).subject());
            return null;
        } catch (VerifyException refusal) {
            return refusal.code();
        }
    }

    private static void accepted(Verifier verifier, String token) {
        verifier.verify(token);
    }

    /** How long an accepted verification took, in seconds. */
    private static double took(Verifier verifier, String token) {
        long start = System.nanoTime();
        accepted(verifier, token);
        return since(start);
    }

    private static double since(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e9;
    }

    private static void sleep(double seconds) throws InterruptedException {
        Thread.sleep(Math.max(0, (long) (seconds * 1000)));
    }

    private static void steadily(BooleanSupplier until, Runnable call) throws InterruptedException {
        while (!until.getAsBoolean()) {
            call.run();
            sleep(0.05);
        }
    }

    private static void untilFresh(Verifier verifier, Runnable call) throws InterruptedException {
        long start = System.nanoTime();
        steadily(() -> verifier.status().state() == Status.State.FRESH || since(start) > 10, call);
        assertEquals(Status.State.FRESH, verifier.status().state(), () -> "within 10 seconds: " + verifier.status());
    }

    @Test
    void coldStartUnderConcurrency() throws Exception {
        String token = issuer.mint();
        try (Verifier verifier = verifier(60)) {
            assertEquals(0, issuer.fetches());
            CyclicBarrier start = new CyclicBarrier(16);
            List<Future<@Nullable ErrorCode>> outcomes = new ArrayList<>();
            for (int number = 0; number < 16; number++) {
                outcomes.add(threads.submit(() -> {
                    start.await();
                    return outcome(verifier, token);
                }));
            }
            for (Future<@Nullable ErrorCode> outcome : outcomes) {
                assertEquals(null, outcome.get());
            }
            assertEquals(1, issuer.fetches());
        }
    }

    @Test
    void rotationUnderLoad() throws Exception {
        try (Verifier verifier = verifier(1)) {
            CountDownLatch stop = new CountDownLatch(1);
            List<Future<Set<String>>> headers = new ArrayList<>();
            for (int number = 0; number < 4; number++) {
                headers.add(threads.submit(() -> verifyNewTokens(verifier, stop)));
            }
            sleep(1);
            issuer.post("/rotate?step=append");
            sleep(2);
            issuer.post("/rotate?step=swap");
            sleep(2);
            issuer.post("/rotate?step=drop");
            sleep(2);
            stop.countDown();
            for (Future<Set<String>> each : headers) {
                assertEquals(2, each.get().size());
            }
            for (int round = 0; round < 2; round++) {
                sleep(2);
                issuer.post("/rotate");
                accepted(verifier, issuer.mint());
            }
        }
    }

    /** The JOSE headers of the tokens, which are equal if their kids are. */
    private Set<String> verifyNewTokens(Verifier verifier, CountDownLatch stop) throws InterruptedException {
        Set<String> headers = new HashSet<>();
        int verified = 0;
        while (!stop.await(20, java.util.concurrent.TimeUnit.MILLISECONDS)) {
            String token = issuer.mint();
            accepted(verifier, token);
            headers.add(token.substring(0, token.indexOf('.')));
            verified++;
        }
        assertTrue(verified >= 20, () -> "too few tokens");
        return headers;
    }

    @Test
    void aWithdrawnKey() throws Exception {
        issuer.post("/rotate?step=append");
        String token = issuer.mint();
        try (Verifier busy = verifier(2);
                Verifier idle = verifier(2)) {
            accepted(busy, token);
            accepted(idle, token);
            issuer.post("/withdraw");
            long withdrawn = System.nanoTime();
            Future<@Nullable ErrorCode> rested = threads.submit(() -> {
                sleep(4.1 - since(withdrawn));
                return outcome(idle, token);
            });
            Map<ErrorCode, Integer> codes = new EnumMap<>(ErrorCode.class);
            steadily(() -> since(withdrawn) >= 6, () -> {
                double began = since(withdrawn);
                ErrorCode code = outcome(busy, token);
                if (code == null) {
                    assertTrue(codes.isEmpty() && began < 4, () -> "accepted " + began + " s after it, after " + codes);
                } else {
                    codes.merge(code, 1, Integer::sum);
                }
            });
            assertEquals(Set.of(ErrorCode.KEY_NOT_FOUND), codes.keySet());
            assertEquals(ErrorCode.KEY_NOT_FOUND, rested.get());

            String another = issuer.mint();
            assertEquals(ErrorCode.KEY_NOT_FOUND, outcome(busy, another));
            assertEquals(ErrorCode.KEY_NOT_FOUND, outcome(idle, another));
            sleep(2);
            issuer.post("/rotate");
            String fresh = issuer.mint();
            accepted(busy, fresh);
            accepted(idle, fresh);
        }
    }

    @Test
    void theKeyServerHangs() throws Exception {
        String token = issuer.mint();
        try (Verifier busy = verifier(5);
                Verifier idle = verifier(5)) {
            accepted(busy, token);
            accepted(idle, token);
            issuer.post("/fault?kind=hang");
            int fetches = issuer.fetches();
            long hung = System.nanoTime();
            steadily(() -> since(hung) >= 11, () -> assertTrue(took(busy, token) < 1, "a call waited under steady traffic"));
            assertTrue(issuer.fetches() >= fetches + 2, "it has hardly tried");
            double first = took(idle, token);
            assertTrue(first >= 1 && first < 4, () -> "the first call after a rest took " + first + " s");
            assertTrue(took(idle, token) < 1, "the second call waited too");
            issuer.post("/fault?kind=none");
            untilFresh(busy, () -> accepted(busy, token));
        }
    }

    @Test
    void anOutageShorterThanMaxStale() throws Exception {
        String token = issuer.mint();
        try (Verifier busy = verifier(2);
                Verifier idle = verifier(2)) {
            accepted(busy, token);
            accepted(idle, token);
            issuer.post("/fault?kind=reset");
            long begun = System.nanoTime();
            steadily(() -> since(begun) >= 7, () -> accepted(busy, token));
            accepted(idle, token);
            assertNotNull(busy.status().lastError());
            assertNotNull(idle.status().lastError());
            issuer.post("/rotate");
            issuer.post("/fault?kind=none");
            untilFresh(busy, () -> outcome(busy, token));
            sleep(1.1);
            accepted(busy, issuer.mint());
        }
    }
}
