package io.github.pomeriumjwt.spring.reactive;

import io.github.pomeriumjwt.VerifyException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ResponseCookie;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** Answers requests that are refused. */
final class Refusals {
    private Refusals() {}

    /** What filters in front have written, such as those for CORS: all that a refusal keeps of a response. */
    record Written(Map<String, List<String>> headers, Map<String, List<ResponseCookie>> cookies) {
        static Written of(ServerHttpResponse response) {
            Map<String, List<String>> headers = new LinkedHashMap<>();
            response.getHeaders().headerSet().forEach(header -> headers.put(header.getKey(), List.copyOf(header.getValue())));
            Map<String, List<ResponseCookie>> cookies = new LinkedHashMap<>();
            response.getCookies().forEach((name, values) -> cookies.put(name, new ArrayList<>(values)));
            return new Written(headers, cookies);
        }

        void restore(ServerHttpResponse response) {
            HttpHeaders now = response.getHeaders();
            now.clear();
            headers.forEach((name, lines) -> lines.forEach(line -> now.add(name, line)));
            response.getCookies().clear();
            response.getCookies().putAll(cookies);
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
