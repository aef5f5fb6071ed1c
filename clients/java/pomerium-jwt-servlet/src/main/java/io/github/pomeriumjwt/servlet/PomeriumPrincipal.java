package io.github.pomeriumjwt.servlet;

import io.github.pomeriumjwt.Identity;
import java.io.Serializable;
import java.security.Principal;

/**
 * A signed-in user as a principal: what {@code getUserPrincipal} returns, of requests and of WebSocket sessions.
 *
 * @param identity of the user
 */
public record PomeriumPrincipal(Identity identity) implements Principal, Serializable {
    /** The user's stable id: {@link Identity#subject}. */
    @Override
    public String getName() {
        return identity.subject();
    }

    /** Shows no personal data. */
    @Override
    public String toString() {
        return "PomeriumPrincipal[" + identity + "]";
    }
}
