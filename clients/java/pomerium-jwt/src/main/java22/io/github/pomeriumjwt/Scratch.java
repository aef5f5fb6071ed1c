package io.github.pomeriumjwt;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Memory for calls, used again and again: making it for each costs as much as the call. There is as much as calls have
 * ever run at the same time. A pool and not a thread's own, because virtual threads are many and application servers keep
 * their threads when an application goes.
 */
final class Scratch {
    /** Enough for the tokens that there are; memory for longer ones is not kept. */
    private static final long USUAL = 16 << 10;

    private static final ConcurrentLinkedQueue<MemorySegment> FREE = new ConcurrentLinkedQueue<>();

    private Scratch() {}

    static MemorySegment take(long size) {
        if (size > USUAL) {
            return allocate(size);
        }
        MemorySegment kept = FREE.poll();
        return kept == null ? allocate(USUAL) : kept;
    }

    static void give(MemorySegment memory) {
        if (memory.byteSize() == USUAL) {
            FREE.offer(memory);
        }
    }

    /** Freed when nothing refers to it. */
    private static MemorySegment allocate(long size) {
        return Arena.ofAuto().allocate(size, Long.BYTES);
    }
}
