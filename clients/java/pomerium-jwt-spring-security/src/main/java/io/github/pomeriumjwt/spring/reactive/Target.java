package io.github.pomeriumjwt.spring.reactive;

import org.jspecify.annotations.Nullable;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import org.springframework.util.ClassUtils;
import reactor.netty.http.server.HttpServerRequest;

/**
 * What a request asks for, before anything in the application can change it.
 *
 * @param path as the client sent it, without the query
 * @param contextPath where the application is mounted
 */
record Target(String path, String contextPath) {
    /** Of a request that has been seen too late. */
    static final Target UNKNOWN = new Target("", "");

    private static final boolean HAS_NETTY =
            ClassUtils.isPresent("reactor.netty.http.server.HttpServerRequest", Target.class.getClassLoader());

    static Target of(ServerHttpRequest request) {
        return new Target(sentPath(request), request.getPath().contextPath().value());
    }

    /**
     * The path of the target, if the application still routes by it; otherwise empty, which is never exempt. A filter in
     * front or a proxy's header may have put something else in its place.
     */
    String routedPath(ServerHttpRequest request) {
        boolean isRouted = path.equals(request.getURI().getRawPath())
                && contextPath.equals(request.getPath().contextPath().value());
        return isRouted ? path : "";
    }

    private static String sentPath(ServerHttpRequest request) {
        return HAS_NETTY && nativeOf(request) instanceof HttpServerRequest netty
                ? pathOf(netty.uri()) // Spring's begins with X-Forwarded-Prefix, if Netty is told to read such headers
                : request.getURI().getRawPath();
    }

    private static @Nullable Object nativeOf(ServerHttpRequest request) {
        try {
            return ServerHttpRequestDecorator.getNativeRequest(request);
        } catch (IllegalStateException mock) {
            return null; // of a test without a server
        }
    }

    /** Of a target in one of its two forms with a path: {@code /path?query} and {@code http://host/path?query}. */
    private static String pathOf(String target) {
        int query = target.indexOf('?');
        String path = query < 0 ? target : target.substring(0, query);
        if (path.startsWith("/")) {
            return path;
        }
        return path.matches("(?i)https?://[^/]+/.*") ? path.substring(path.indexOf('/', path.indexOf("//") + 2)) : "";
    }
}
