package io.github.pomeriumjwt;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One refresh at a time, on one platform thread, for any number of callers: a virtual thread that waits in native code
 * keeps its carrier, and two of them would freeze an application.
 */
final class Refreshes {
    /** A refresh that runs, or has ended. */
    private static final class Refresh {
        // Not a latch: leaving its queue takes time in proportion to all who wait, so that leaving together takes minutes
        final Set<Thread> waiting = ConcurrentHashMap.newKeySet();
        final CompletableFuture<Void> end = new CompletableFuture<>();
        volatile boolean ended;
        volatile @Nullable VerifyException failure;

        void await() throws InterruptedException {
            waiting.add(Thread.currentThread());
            try {
                while (!ended) {
                    if (Thread.interrupted()) {
                        throw new InterruptedException();
                    }
                    LockSupport.park(this);
                }
            } finally {
                waiting.remove(Thread.currentThread());
            }
        }

        void end() {
            ended = true;
            waiting.forEach(LockSupport::unpark);
            end.complete(null);
        }
    }

    private final AtomicReference<@Nullable Refresh> running = new AtomicReference<>();
    private final Function<Runnable, Thread> threads;

    Refreshes() {
        this(Refreshes::daemon);
    }

    Refreshes(Function<Runnable, Thread> threads) {
        this.threads = threads;
    }

    private static Thread daemon(Runnable work) {
        // Inherits nothing: the thread must not hold on to the application that happens to need keys first
        Thread thread = new Thread(null, work, "pomerium-jwt-refresh", 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
        return thread;
    }

    /**
     * Joins the refresh that runs, or begins one, and waits for it.
     *
     * @param work the refresh to begin; it throws VerifyException if the keys could not be refreshed. The caller's own:
     *     of several verifiers with the same keys, the others may be closed
     * @throws VerifyException why it failed
     * @throws InterruptedException if the waiting thread was interrupted; the refresh does not end
     */
    void join(Runnable work) throws InterruptedException {
        Refresh refresh = current(work, true);
        refresh.await();
        if (refresh.failure != null) {
            throw refresh.failure;
        }
    }

    /** Waits for a refresh that began after this call, or for one that failed: one that runs already may have asked before. */
    void joinNew(Runnable work) throws InterruptedException {
        Refresh before = running.get();
        Refresh refresh = current(work, true);
        refresh.await();
        if (isTooOld(refresh, before)) {
            current(work, true).await();
        }
    }

    /** As {@link #joinNew} for a caller that must not wait: completes when it would return. */
    CompletableFuture<Void> afterNew(Runnable work) {
        Refresh before = running.get();
        Refresh refresh = current(work, false);
        return refresh.end.thenCompose(
                ended -> isTooOld(refresh, before) ? current(work, false).end : CompletableFuture.completedFuture(null));
    }

    private static boolean isTooOld(Refresh refresh, @Nullable Refresh before) {
        return refresh == before && refresh.failure == null;
    }

    private Refresh current(Runnable work, boolean callerWaits) {
        while (true) {
            Refresh found = running.get();
            if (found != null) {
                return found;
            }
            Refresh begun = new Refresh();
            if (running.compareAndSet(null, begun)) {
                start(begun, work, callerWaits);
                return begun;
            }
        }
    }

    private void start(Refresh refresh, Runnable work, boolean callerWaits) {
        try {
            threads.apply(() -> run(refresh, work)).start();
        } catch (Error noThread) {
            run(refresh, callerWaits ? work : () -> {
                throw new VerifyException(ErrorCode.KEYS_UNAVAILABLE, "no thread could be started to fetch the keys: " + noThread);
            });
        }
    }

    private void run(Refresh refresh, Runnable work) {
        try {
            work.run();
        } catch (VerifyException failed) {
            refresh.failure = failed;
        } finally {
            running.set(null);
            refresh.end();
        }
    }
}
