package io.github.pomeriumjwt;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A refusal, or why something could not be done. {@link #status}, {@link #headers} and {@link #body} are the response to
 * send; the message is for the log alone.
 *
 * <p>Refusals of tokens have no stack trace: the clients choose how many there are.
 */
public final class VerifyException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ErrorCode code;
    private final String reason;
    private final transient @Nullable Response response;
    private final @Nullable Duration retryAfter;

    /** The response to a request that was refused, as the core wrote it. */
    record Response(int status, Map<String, String> headers, String body) {}

    VerifyException(ErrorCode code, String reason) {
        this(code, reason, null, null, null);
    }

    VerifyException(
            ErrorCode code,
            String reason,
            @Nullable Duration retryAfter,
            @Nullable Response response,
            @Nullable Throwable cause) {
        super(code + ": " + reason, cause, isFault(code), isFault(code));
        this.code = code;
        this.reason = reason;
        this.retryAfter = retryAfter;
        this.response = response;
    }

    private static boolean isFault(ErrorCode code) {
        return code.kind() == ErrorKind.OPTIONS || code.kind() == ErrorKind.INTERNAL;
    }

    /** The stable code. */
    public ErrorCode code() {
        return code;
    }

    /** What the error is about. */
    public ErrorKind kind() {
        return code.kind();
    }

    /** A sentence for logs, without the code. Never for the client. */
    public String reason() {
        return reason;
    }

    /** The HTTP status to answer with: 401, 403, 500 or 503. */
    public int status() {
        return response != null ? response.status() : code.kind().status();
    }

    /** After how long it makes sense to try again, if keys are missing and are fetched. At least a second. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** The headers of the response. */
    public Map<String, String> headers() {
        if (response != null) {
            return response.headers();
        }
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Content-Type", "application/json");
        headers.put("Cache-Control", "no-store");
        if (status() == 401) {
            headers.put("WWW-Authenticate", "Bearer error=\"invalid_token\"");
        }
        retryAfter().ifPresent(wait -> headers.put("Retry-After", Long.toString(wait.toSeconds())));
        return Map.copyOf(headers);
    }

    /** The body of the response, {@code {"error":"token_expired"}}: the code and nothing else. */
    public String body() {
        return response != null ? response.body() : "{\"error\":\"" + code + "\"}";
    }
}
