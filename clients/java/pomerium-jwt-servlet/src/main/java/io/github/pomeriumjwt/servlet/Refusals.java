package io.github.pomeriumjwt.servlet;

import io.github.pomeriumjwt.VerifyException;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Answers requests that are refused. */
final class Refusals {
    private Refusals() {}

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
        Throwable inner = thrown;
        while (inner instanceof ServletException && inner.getCause() != null) {
            inner = inner.getCause();
        }
        return inner instanceof VerifyException refusal ? refusal : null;
    }
}
