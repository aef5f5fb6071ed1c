package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two carriers, 20,000 virtual threads that wait for keys, and a key server that hangs. */
@Tag("new-java")
class VirtualThreadsTest {
    private static final int CALLERS = 20_000;

    /** Tests are compiled for Java 17. */
    private static ExecutorService virtualThreads() throws ReflectiveOperationException {
        assumeTrue(Runtime.version().feature() >= 22, "this needs Java 22 or later");
        return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    }

    /** The fetch hangs for a minute: what has not happened by the timeout was frozen. */
    @Test
    @Timeout(55)
    void callersThatWaitFreezeNothing() throws Exception {
        ExecutorService threads = virtualThreads();
        try (RunningIssuer issuer = new RunningIssuer();
                Verifier verifier = Verifier.of(issuer.options().timeout(Duration.ofMinutes(1)).build())) {
            String token = issuer.mint();
            issuer.post("/fault?kind=hang");
            AtomicLong ticks = new AtomicLong();
            Future<?> ticker = threads.submit(() -> tick(ticks));
            WaitingTest.until(() -> ticks.get() > 10);
            int before = platformThreads();

            Queue<Thread> started = new ConcurrentLinkedQueue<>();
            List<Future<VerifyException>> outcomes = new ArrayList<>();
            for (int number = 0; number < CALLERS; number++) {
                outcomes.add(threads.submit(() -> {
                    started.add(Thread.currentThread());
                    return refused(verifier, token);
                }));
            }
            WaitingTest.until(() -> started.size() == CALLERS);
            WaitingTest.until(() -> started.stream().allMatch(thread -> thread.getState() == Thread.State.WAITING));
            assertEquals(1, issuer.fetches());
            int during = platformThreads();
            assertTrue(during <= before + 10, () -> before + " platform threads before, " + during + " while they wait");
            assertFalse(outcomes.stream().anyMatch(Future::isDone));

            long then = ticks.get();
            WaitingTest.until(() -> ticks.get() > then + 100);

            started.forEach(Thread::interrupt); // those that did not leave now would get the error of the fetch
            for (Future<VerifyException> outcome : outcomes) {
                assertInstanceOf(InterruptedException.class, outcome.get().getCause());
            }
            assertEquals(1, issuer.fetches());
            ticker.cancel(true);
        } finally {
            threads.shutdownNow();
        }
    }

    /** When the keys come, all go on, and none has asked for them again. */
    @Test
    @Timeout(55)
    void theKeysThatComeAreForAll() throws Exception {
        ExecutorService threads = virtualThreads();
        try (RunningIssuer issuer = new RunningIssuer();
                Verifier verifier = Verifier.of(issuer.options().build())) {
            String token = issuer.mint();
            List<Future<String>> outcomes = new ArrayList<>();
            for (int number = 0; number < CALLERS; number++) {
                outcomes.add(threads.submit(() -> verifier.verify(token).subject()));
            }
            for (Future<String> outcome : outcomes) {
                assertEquals("alice", outcome.get());
            }
            assertEquals(1, issuer.fetches());
        } finally {
            threads.shutdownNow();
        }
    }

    private static VerifyException refused(Verifier verifier, String token) {
        try {
            throw new AssertionError("accepted: " + verifier.verify(token));
        } catch (VerifyException refusal) {
            return refusal;
        }
    }

    private static void tick(AtomicLong ticks) {
        try {
            while (true) {
                Thread.sleep(1);
                ticks.incrementAndGet();
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }

    /** Virtual threads are not among them. */
    private static int platformThreads() {
        return ManagementFactory.getThreadMXBean().getThreadCount();
    }
}
