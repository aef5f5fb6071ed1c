package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What would wait for ever if it were wrong ends with the timeout, which says nothing of how long anything may take. */
@Timeout(50)
class WaitingTest {
    /** Starts a thread, and gives what it was refused with. */
    private static CompletableFuture<VerifyException> refused(List<Thread> threads, Runnable call) {
        CompletableFuture<VerifyException> outcome = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                call.run();
                outcome.completeExceptionally(new AssertionError("it was not refused"));
            } catch (VerifyException refusal) {
                assertTrue(Thread.currentThread().isInterrupted() || refusal.getCause() == null);
                outcome.complete(refusal);
            } catch (Throwable fault) {
                outcome.completeExceptionally(fault);
            }
        });
        threads.add(thread);
        thread.start();
        return outcome;
    }

    static void until(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(5);
        }
    }

    @Test
    void interruptionEndsTheWait() throws Exception {
        try (RunningIssuer issuer = new RunningIssuer();
                Verifier verifier = Verifier.of(issuer.options().timeout(Duration.ofMinutes(1)).build())) {
            String token = issuer.mint();
            issuer.post("/fault?kind=hang");
            List<Thread> threads = new ArrayList<>();
            List<CompletableFuture<VerifyException>> outcomes = List.of(
                    refused(threads, () -> verifier.verify(token)),
                    refused(threads, () -> verifier.admit(new Request(token, "/"))),
                    refused(threads, verifier::refresh),
                    refused(threads, verifier::forceRefresh));
            until(() -> threads.stream().allMatch(thread -> thread.getState() == Thread.State.WAITING));
            threads.forEach(Thread::interrupt);
            for (CompletableFuture<VerifyException> outcome : outcomes) {
                VerifyException refusal = outcome.get();
                assertEquals(ErrorCode.KEYS_UNAVAILABLE, refusal.code());
                assertInstanceOf(InterruptedException.class, refusal.getCause());
                assertTrue(refusal.retryAfter().isPresent(), refusal::getMessage);
            }
        }
    }

    @Test
    void anInterruptedThreadVerifiesIfItNeedNotWait() {
        try (RunningIssuer issuer = new RunningIssuer();
                Verifier verifier = Verifier.of(issuer.options().build())) {
            verifier.refresh();
            String token = issuer.mint();
            Thread.currentThread().interrupt();
            assertEquals("alice", verifier.verify(token).subject());
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void asynchronousCallsWaitForNothing() throws Exception {
        try (RunningIssuer issuer = new RunningIssuer();
                Verifier verifier = Verifier.of(issuer.options().exemptPaths("/open").timeout(Duration.ofMinutes(1)).build())) {
            String token = issuer.mint();
            issuer.post("/fault?kind=hang");
            BlockingQueue<Runnable> later = new LinkedBlockingQueue<>();
            assertTrue(verifier.admitAsync(new Request(token, "/open"), later::add).get().identity().isEmpty());
            assertSame(ErrorCode.TOKEN_MISSING, refusal(verifier.verifyAsync("", later::add)).code());

            CompletableFuture<Identity> identity = verifier.verifyAsync(token, later::add);
            CompletableFuture<Admission> admission = verifier.admitAsync(new Request(token, "/"), later::add);
            CompletableFuture<Admission> givenUp = verifier.admitAsync(new Request(token, "/"), later::add);
            until(() -> issuer.fetches() == 1);
            assertTrue(givenUp.cancel(true));
            assertTrue(!identity.isDone() && !admission.isDone() && later.isEmpty());

            issuer.stop(); // ends the fetch
            for (int number = 0; number < 3; number++) {
                later.take().run(); // nothing comes after it on another thread
            }
            assertSame(ErrorCode.KEYS_UNAVAILABLE, refusal(identity).code());
            assertEquals(503, refusal(admission).status());
        }
    }

    @Test
    void asynchronousCallsGetTheKeysThatCome() throws Exception {
        try (RunningIssuer issuer = new RunningIssuer();
                Verifier verifier = Verifier.of(issuer.options().build())) {
            String token = issuer.mint();
            List<CompletableFuture<Identity>> outcomes = new ArrayList<>();
            for (int number = 0; number < 1000; number++) {
                outcomes.add(verifier.verifyAsync(token, Runnable::run));
            }
            for (CompletableFuture<Identity> outcome : outcomes) {
                assertEquals("alice", outcome.get().subject());
            }
            assertEquals(1, issuer.fetches());
        }
    }

    @Test
    void asynchronousCallsFailInTheirOutcome() throws Exception {
        try (RunningIssuer issuer = new RunningIssuer()) {
            Verifier verifier = Verifier.of(issuer.options().build());
            CompletableFuture<Identity> rejected = verifier.verifyAsync(issuer.mint(), work -> {
                throw new RejectedExecutionException("no");
            });
            ExecutionException failure = assertThrows(ExecutionException.class, rejected::get);
            assertInstanceOf(RejectedExecutionException.class, failure.getCause());
            verifier.close();
            assertSame(ErrorCode.INVALID_ARGUMENT, refusal(verifier.verifyAsync("x.y.z", Runnable::run)).code());
        }
    }

    private static VerifyException refusal(CompletableFuture<?> outcome) {
        return assertInstanceOf(VerifyException.class, assertThrows(ExecutionException.class, outcome::get).getCause());
    }

    @Test
    void closingEndsNoCallInTheMiddle() throws Exception {
        try (RunningIssuer issuer = new RunningIssuer()) {
            Verifier verifier = Verifier.of(issuer.options().timeout(Duration.ofMinutes(1)).build());
            issuer.post("/fault?kind=hang");
            List<Thread> threads = new ArrayList<>();
            CompletableFuture<VerifyException> refresh = refused(threads, verifier::forceRefresh);
            until(() -> issuer.fetches() == 1);
            verifier.close(); // does not wait for the fetch
            assertTrue(!refresh.isDone());
            issuer.stop(); // ends the fetch
            assertEquals(ErrorCode.KEYS_UNAVAILABLE, refresh.get().code());
        }
    }

    @Test
    void aVerifierFetchesAlthoughTheOneWithTheSameKeysIsClosed() {
        try (RunningIssuer issuer = new RunningIssuer()) {
            Verifier base = Verifier.of(issuer.options().build());
            try (Verifier other = base.with(RequestOptions.builder().exemptPaths("/health").build())) {
                base.close();
                assertEquals("alice", other.verify(issuer.mint()).subject());
                other.forceRefresh();
            }
        }
    }

    /** Blocks until told, and counts. */
    private static final class Work implements Runnable {
        final AtomicInteger runs = new AtomicInteger();
        volatile CountDownLatch gate = new CountDownLatch(1);
        volatile VerifyException failure;

        @Override
        public void run() {
            CountDownLatch closed = gate;
            VerifyException why = failure;
            runs.incrementAndGet();
            try {
                closed.await();
            } catch (InterruptedException impossible) {
                throw new IllegalStateException(impossible);
            }
            if (why != null) {
                throw why;
            }
        }
    }

    @Test
    void aRefreshThatBeganBeforeIsFollowedByAnother() throws Exception {
        Work work = new Work();
        Refreshes refreshes = new Refreshes();
        Caller early = waiting(() -> refreshes.join(work));
        Caller late = waiting(() -> refreshes.joinNew(work));
        assertEquals(1, work.runs.get());
        CountDownLatch first = work.gate;
        work.gate = new CountDownLatch(1);
        first.countDown();
        early.outcome().get();
        until(() -> work.runs.get() == 2);
        assertTrue(!late.outcome().isDone(), "it needs keys that were asked for after it came");
        work.gate.countDown();
        late.outcome().get();
        assertEquals(2, work.runs.get());
    }

    @Test
    void aRefreshThatBeganBeforeIsFollowedByAnotherWithoutWaiting() throws Exception {
        Work work = new Work();
        Refreshes refreshes = new Refreshes();
        CompletableFuture<Void> first = refreshes.afterNew(work);
        until(() -> work.runs.get() == 1);
        CompletableFuture<Void> second = refreshes.afterNew(work);
        CountDownLatch before = work.gate;
        work.gate = new CountDownLatch(1);
        before.countDown();
        first.get();
        until(() -> work.runs.get() == 2);
        assertTrue(!second.isDone(), "it needs keys that were asked for after it came");
        work.gate.countDown();
        second.get();
    }

    @Test
    void aRefreshThatFailsIsNotFollowedByAnother() throws Exception {
        Work work = new Work();
        work.failure = new VerifyException(ErrorCode.KEYS_UNAVAILABLE, "no");
        Refreshes refreshes = new Refreshes();
        Caller early = waiting(() -> refreshes.join(work));
        Caller late = waiting(() -> refreshes.joinNew(work));
        work.gate.countDown();
        assertSame(work.failure, assertThrows(ExecutionException.class, early.outcome()::get).getCause());
        late.outcome().get();
        assertEquals(1, work.runs.get());
    }

    @Test
    void withoutAThreadTheCallerRefreshes() throws Exception {
        List<Thread> ran = new ArrayList<>();
        Runnable refresh = () -> ran.add(Thread.currentThread());
        Refreshes refreshes = new Refreshes(work -> {
            throw new OutOfMemoryError("unable to create native thread");
        });
        refreshes.join(refresh);
        refreshes.joinNew(refresh);
        assertEquals(List.of(Thread.currentThread(), Thread.currentThread()), ran);
        refreshes.afterNew(refresh).get(); // this caller must not wait: nothing is refreshed
        assertEquals(2, ran.size());
    }

    private interface Join {
        void call() throws Exception;
    }

    private record Caller(Thread thread, CompletableFuture<Void> outcome) {}

    /** A thread that has made this call, and waits in it. */
    private static Caller waiting(Join call) throws InterruptedException {
        CompletableFuture<Void> outcome = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                call.call();
                outcome.complete(null);
            } catch (Throwable failure) {
                outcome.completeExceptionally(failure);
            }
        });
        thread.start();
        until(() -> thread.getState() == Thread.State.WAITING);
        return new Caller(thread, outcome);
    }
}
