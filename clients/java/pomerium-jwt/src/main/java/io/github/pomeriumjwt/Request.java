package io.github.pomeriumjwt;

import org.jspecify.annotations.Nullable;

/**
 * The facts about a request that decide who gets in. The modules for servlets and Spring collect them; collect them
 * yourself for anything else.
 *
 * @param token all values of the header {@link Verifier#headerName}, joined by commas; null or empty if there are none
 * @param path what the client sent, whole (with the prefix under which the application is mounted), undecoded and without
 *     the query. Empty, which is never exempt, if a later handler routes by anything else
 * @param upgrade whether the request opens another protocol, such as a WebSocket. It is never exempt
 * @param markedPublic whether the host's own means mark the endpoint as public, which is known after routing
 */
public record Request(@Nullable String token, String path, boolean upgrade, boolean markedPublic) {
    /** A request that opens no other protocol and is not marked public. */
    public Request(@Nullable String token, String path) {
        this(token, path, false, false);
    }

    /** Shows no token. */
    @Override
    public String toString() {
        String carries = token == null || token.isEmpty() ? "none" : token.length() + " characters";
        return "Request[token=%s, path=%s, upgrade=%s, markedPublic=%s]".formatted(carries, path, upgrade, markedPublic);
    }
}
