package io.github.pomeriumjwt.spring.reactive;

import io.github.pomeriumjwt.Request;
import java.util.stream.Collectors;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpRequest;

/** Collects what decides who gets in. Holds no rule. */
final class Facts {
    private Facts() {}

    static Request of(ServerHttpRequest request, Target target, String headerName) {
        return new Request(joined(request, headerName), target.routedPath(request), isUpgrade(request), false);
    }

    /** All values of a header, as HTTP joins them. */
    private static String joined(ServerHttpRequest request, String name) {
        // Not get(name), which is another method in Spring 6 than in 7
        return request.getHeaders().headerSet().stream()
                .filter(header -> header.getKey().equalsIgnoreCase(name))
                .flatMap(header -> header.getValue().stream())
                .collect(Collectors.joining(","));
    }

    private static boolean isUpgrade(ServerHttpRequest request) {
        String value = joined(request, "Upgrade").strip();
        // WebSockets over HTTP/2 and HTTP/3 open with CONNECT, which has no path in HTTP/1.1
        return !value.isEmpty() && !value.equalsIgnoreCase("h2c") || HttpMethod.valueOf("CONNECT").equals(request.getMethod());
    }
}
