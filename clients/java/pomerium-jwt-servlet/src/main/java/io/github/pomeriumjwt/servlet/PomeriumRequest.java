package io.github.pomeriumjwt.servlet;

import io.github.pomeriumjwt.Admission;
import io.github.pomeriumjwt.Identity;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.security.Principal;

/** The request of a signed-in user, who is its principal. */
final class PomeriumRequest extends HttpServletRequestWrapper {
    private static final String AUTH_TYPE = "POMERIUM";

    private final PomeriumPrincipal principal;

    private PomeriumRequest(HttpServletRequest request, Identity user) {
        super(request);
        principal = new PomeriumPrincipal(user);
    }

    /** Of nobody in particular there is no principal: applications take one for somebody who has signed in. */
    static HttpServletRequest of(HttpServletRequest request, Admission admission) {
        return admission.identity()
                .filter(Identity::isUser)
                .<HttpServletRequest>map(user -> new PomeriumRequest(request, user))
                .orElse(request);
    }

    @Override
    public Principal getUserPrincipal() {
        return principal;
    }

    @Override
    public String getRemoteUser() {
        return principal.getName();
    }

    @Override
    public boolean isUserInRole(String role) {
        return principal.identity().inGroup(role);
    }

    @Override
    public String getAuthType() {
        return AUTH_TYPE;
    }
}
