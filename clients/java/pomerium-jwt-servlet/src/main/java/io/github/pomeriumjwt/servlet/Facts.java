package io.github.pomeriumjwt.servlet;

import io.github.pomeriumjwt.Request;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.Enumeration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Collects what decides who gets in. Holds no rule. */
final class Facts {
    private Facts() {}

    static Request of(HttpServletRequest request, String headerName) {
        return new Request(joined(request, headerName), sentPath(request), isUpgrade(request), false);
    }

    /** All values of a header, as HTTP joins them. */
    private static String joined(HttpServletRequest request, String name) {
        Enumeration<String> values = request.getHeaders(name);
        return values == null ? "" : String.join(",", Collections.list(values));
    }

    private static boolean isUpgrade(HttpServletRequest request) {
        String value = joined(request, "Upgrade").strip();
        // WebSockets over HTTP/2 and HTTP/3 open with CONNECT
        return !value.isEmpty() && !value.equalsIgnoreCase("h2c")
                || isConnect(request) && !request.getProtocol().startsWith("HTTP/1.");
    }

    private static boolean isConnect(HttpServletRequest request) {
        return "CONNECT".equals(request.getMethod());
    }

    /**
     * The path as the client sent it. It is empty, which is never exempt, if there is none, or if the application routes
     * by another one: after a dispatch, or because a filter in front has wrapped the request.
     */
    private static String sentPath(HttpServletRequest request) {
        HttpServletRequest original = original(request);
        String path = original.getRequestURI();
        boolean routedByIt = request.getDispatcherType() == DispatcherType.REQUEST && isSameTarget(request, original);
        return path != null && path.startsWith("/") && routedByIt && isHttp(original) && !isConnect(request) ? path : "";
    }

    /** Jetty takes {@code health:/health} for a URL with a path. */
    private static boolean isHttp(HttpServletRequest request) {
        return "http".equals(request.getScheme()) || "https".equals(request.getScheme());
    }

    private static boolean isSameTarget(HttpServletRequest request, HttpServletRequest original) {
        return Objects.equals(request.getRequestURI(), original.getRequestURI())
                && Objects.equals(request.getContextPath(), original.getContextPath())
                && Objects.equals(request.getServletPath(), original.getServletPath())
                && Objects.equals(request.getPathInfo(), original.getPathInfo());
    }

    /** The container's own request. */
    private static HttpServletRequest original(HttpServletRequest request) {
        HttpServletRequest inner = request;
        while (inner instanceof ServletRequestWrapper wrapper
                && wrapper.getRequest() instanceof HttpServletRequest wrapped) {
            inner = wrapped;
        }
        return inner;
    }

    /** For people to read. */
    static String shownPath(HttpServletRequest request) {
        @Nullable String path = original(request).getRequestURI();
        return path == null ? "" : path;
    }
}
