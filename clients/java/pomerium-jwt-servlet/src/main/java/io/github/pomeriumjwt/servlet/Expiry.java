package io.github.pomeriumjwt.servlet;

import io.github.pomeriumjwt.Identity;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** Ends what outlives its token: WebSockets are verified only when they open. */
public final class Expiry {
    private Expiry() {}

    /**
     * Closes a connection when the token with which it was opened expires. A new handshake brings a new token.
     *
     * @param identity of the user who opened it
     * @param connection a {@code jakarta.websocket.Session} or Spring's {@code WebSocketSession}; closing it twice must be
     *     harmless, as it is for these
     * @return cancel it if the connection has ended before
     */
    public static CompletableFuture<Void> close(Identity identity, Closeable connection) {
        long left = Math.max(0, Duration.between(Instant.now(), identity.expiresAt()).toMillis());
        Executor then = CompletableFuture.delayedExecutor(left, TimeUnit.MILLISECONDS);
        return CompletableFuture.runAsync(() -> close(connection), then);
    }

    private static void close(Closeable connection) {
        try {
            connection.close();
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}
