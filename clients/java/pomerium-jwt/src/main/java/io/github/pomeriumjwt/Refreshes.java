package io.github.pomeriumjwt;

import java.util.Set;
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
        }
    }

    private final AtomicReference<@Nullable Refresh> running = new AtomicReference<>();
    private final Runnable work;
    private final Function<Runnable, Thread> threads;

    /** The work throws VerifyException if the keys could not be refreshed. */
    Refreshes(Runnable work) {
        this(work, Refreshes::daemon);
    }

    Refreshes(Runnable work, Function<Runnable, Thread> threads) {
        this.work = work;
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
     * @throws VerifyException why it failed
     * @throws InterruptedException if the waiting thread was interrupted; the refresh does not end
     */
    void join() throws InterruptedException {
        Refresh refresh = current();
        refresh.await();
        if (refresh.failure != null) {
            throw refresh.failure;
        }
    }

    /** Waits for a refresh that began after this call, or for one that failed: one that runs already may have asked before. */
    void joinNew() throws InterruptedException {
        Refresh before = running.get();
        Refresh refresh = current();
        refresh.await();
        if (refresh == before && refresh.failure == null) {
            current().await();
        }
    }

    private Refresh current() {
        while (true) {
            Refresh found = running.get();
            if (found != null) {
                return found;
            }
            Refresh begun = new Refresh();
            if (running.compareAndSet(null, begun)) {
                start(begun);
                return begun;
            }
        }
    }

    private void start(Refresh refresh) {
        Runnable run = () -> run(refresh);
        try {
            threads.apply(run).start();
        } catch (OutOfMemoryError noThread) {
            run.run(); // the caller waits for it in any case
        }
    }

    private void run(Refresh refresh) {
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
