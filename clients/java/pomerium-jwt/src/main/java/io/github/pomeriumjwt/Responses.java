package io.github.pomeriumjwt;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** Refusals of requests, of which the library writes the whole response. */
final class Responses {
    private Responses() {}

    static VerifyException refusal(Bridge.Answer refused) {
        Members of = Members.read(Objects.requireNonNull(refused.output()));
        Map<String, String> headers = new LinkedHashMap<>();
        Members written = of.object("headers").orElseThrow();
        written.names().forEach(name -> headers.put(name, written.text(name)));
        return new VerifyException(
                ErrorCode.of(refused.code()),
                of.text("message"),
                of.seconds("retry_after"),
                new VerifyException.Response(
                        (int) of.number("status"), Collections.unmodifiableMap(headers), of.text("body")),
                null);
    }
}
