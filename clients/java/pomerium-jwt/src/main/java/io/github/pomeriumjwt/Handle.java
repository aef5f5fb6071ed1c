package io.github.pomeriumjwt;

import java.util.concurrent.atomic.AtomicLong;

/** A verifier of the library. Closed while calls run, it is freed by the last of them. */
final class Handle implements Runnable {
    private static final long CLOSED = 1L << 62;

    private final long pointer;
    private final AtomicLong calls = new AtomicLong();

    Handle(long pointer) {
        this.pointer = pointer;
    }

    /**
     * The pointer for one call, after which {@link #leave} must come.
     *
     * @throws VerifyException INVALID_ARGUMENT if it is closed
     */
    long enter() {
        if ((calls.getAndIncrement() & CLOSED) != 0) {
            leave();
            throw new VerifyException(ErrorCode.INVALID_ARGUMENT, "the verifier is closed");
        }
        return pointer;
    }

    void leave() {
        if (calls.decrementAndGet() == CLOSED) {
            free();
        }
    }

    void close() {
        if (calls.getAndUpdate(count -> count | CLOSED) == 0) {
            free();
        }
    }

    /** Frees once, and never again: a refused {@link #enter} comes down to CLOSED a second time. */
    private void free() {
        if (calls.compareAndSet(CLOSED, CLOSED | CLOSED >> 1)) {
            Library.bridge().free(pointer);
        }
    }

    boolean isClosed() {
        return (calls.get() & CLOSED) != 0;
    }

    /** What the Cleaner does for those who forget to close. */
    @Override
    public void run() {
        close();
    }
}
