package io.github.pomeriumjwt.servlet;

import io.github.pomeriumjwt.VerifyException;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Answers requests that are refused. */
final class Refusals {
    private Refusals() {}

    /** What filters in front have written, such as those for CORS: all that a refusal keeps of a response. */
    record Headers(Map<String, List<String>> values) {
        static Headers of(HttpServletResponse response) {
            Collection<String> names = response.getHeaderNames();
            if (names.isEmpty()) {
                return new Headers(Map.of());
            }
            Map<String, List<String>> values = new LinkedHashMap<>();
            names.forEach(name -> values.put(name, List.copyOf(response.getHeaders(name))));
            return new Headers(values);
        }

        void restore(HttpServletResponse response) {
            response.reset();
            values.forEach((name, lines) -> lines.forEach(line -> response.addHeader(name, line)));
        }
    }

    static void answer(
            HttpServletRequest request,
            HttpServletResponse response,
            VerifyException refusal,
            PomeriumFilter.@Nullable ErrorHandler handler)
            throws IOException {
        response.setStatus(refusal.status());
        refusal.headers().forEach(response::setHeader);
        String text = refusal.body();
        if (handler != null) {
            PomeriumFilter.ErrorBody body = handler.render(refusal, request);
            response.setContentType(body.contentType());
            text = body.text();
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        response.setContentLength(bytes.length);
        if (!"HEAD".equals(request.getMethod())) {
            response.getOutputStream().write(bytes);
        }
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
