package io.github.pomeriumjwt.spring.reactive;

import io.github.pomeriumjwt.VerifyException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ResponseCookie;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** Answers requests that are refused. */
final class Refusals {
    private Refusals() {}

    /**
     * The response for the application. A refusal takes back what has been written into it, and what filters would write
     * before it is committed: all that stays is from filters in front, such as those for CORS.
     */
    static final class Revocable extends ServerHttpResponseDecorator {
        private final Map<String, List<String>> headers = new LinkedHashMap<>();
        private final Map<String, List<ResponseCookie>> cookies = new LinkedHashMap<>();
        private volatile boolean revoked;

        Revocable(ServerHttpResponse response) {
            super(response);
            response.getHeaders().headerSet().forEach(header -> headers.put(header.getKey(), List.copyOf(header.getValue())));
            response.getCookies().forEach((name, values) -> cookies.put(name, List.copyOf(values)));
        }

        @Override
        public void beforeCommit(Supplier<? extends Mono<Void>> action) {
            super.beforeCommit(() -> revoked ? Mono.empty() : action.get());
        }

        void revoke() {
            revoked = true;
            HttpHeaders now = getHeaders();
            now.clear();
            headers.forEach((name, lines) -> lines.forEach(line -> now.add(name, line)));
            getCookies().clear();
            cookies.values().forEach(values -> values.forEach(this::addCookie));
        }
    }

    static Mono<Void> answer(
            ServerWebExchange exchange, VerifyException refusal, PomeriumWebFilter.@Nullable ErrorHandler handler) {
        ServerHttpResponse response = exchange.getResponse();
        response.setStatusCode(HttpStatusCode.valueOf(refusal.status()));
        refusal.headers().forEach(response.getHeaders()::set);
        String text = refusal.body();
        if (handler != null) {
            PomeriumWebFilter.ErrorBody body = handler.render(refusal, exchange);
            response.getHeaders().set(HttpHeaders.CONTENT_TYPE, body.contentType());
            text = body.text();
        }
        DataBuffer bytes = response.bufferFactory().wrap(text.getBytes(StandardCharsets.UTF_8));
        response.getHeaders().setContentLength(bytes.readableByteCount());
        return response.writeWith(Mono.just(bytes)); // Spring leaves it out for HEAD
    }

    /** A refusal of the application, however frameworks have wrapped it. Null if it is something else. */
    static @Nullable VerifyException in(Throwable thrown) {
        for (Throwable inner = thrown; inner != null; inner = inner.getCause()) {
            if (inner instanceof VerifyException refusal) {
                return refusal;
            }
        }
        return null;
    }
}
