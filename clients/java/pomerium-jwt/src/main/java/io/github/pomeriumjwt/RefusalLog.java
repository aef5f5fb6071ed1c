package io.github.pomeriumjwt;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Refusals, at most one line a second for each code, with a count and one path: clients choose how many there are, and on
 * which paths.
 */
final class RefusalLog implements Guard.OnRefused {
    private static final int LONGEST = 200;

    /** What has not been written yet of a code. */
    private record Burst(int more, String last) {}

    private final Consumer<String> log;
    private final ReentrantLock lock = new ReentrantLock(); // a virtual thread that waits for it leaves its carrier
    private final Map<ErrorCode, Burst> bursts = new EnumMap<>(ErrorCode.class);

    RefusalLog(Consumer<String> log) {
        this.log = log;
    }

    @Override
    public void refused(VerifyException refusal, String path) {
        String line = shown(path) + ": " + refusal.getMessage();
        if (begins(refusal.code(), line)) {
            log.accept("pomerium-jwt: refused " + line);
        }
    }

    private boolean begins(ErrorCode code, String line) {
        lock.lock();
        try {
            Burst burst = bursts.get(code);
            bursts.put(code, burst == null ? new Burst(0, "") : new Burst(burst.more() + 1, line));
            if (burst == null) {
                afterASecond(code);
            }
            return burst == null;
        } finally {
            lock.unlock();
        }
    }

    /** On the JDK's own timer, which keeps no process alive. */
    private void afterASecond(ErrorCode code) {
        CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS).execute(() -> end(code));
    }

    /** Writes what has come in until then, and waits another second if anything has. */
    private void end(ErrorCode code) {
        Burst burst;
        lock.lock();
        try {
            burst = bursts.remove(code);
            if (burst.more() > 0) {
                bursts.put(code, new Burst(0, ""));
                afterASecond(code);
            }
        } finally {
            lock.unlock();
        }
        if (burst.more() > 0) {
            log.accept("pomerium-jwt: refused %d more within a second, the last one %s".formatted(burst.more(), burst.last()));
        }
    }

    /** In quotes, short, and printable: the client who sends a path writes no lines of their own into the log. */
    private static String shown(String path) {
        StringBuilder printable = new StringBuilder("\"");
        path.chars().limit(LONGEST).forEach(next -> {
            if (next == '"' || next == '\\') {
                printable.append('\\').append((char) next);
            } else if (next < ' ' || next > '~') {
                printable.append("\\u%04x".formatted(next));
            } else {
                printable.append((char) next);
            }
        });
        return printable.append(path.length() > LONGEST ? "...\"" : "\"").toString();
    }
}
