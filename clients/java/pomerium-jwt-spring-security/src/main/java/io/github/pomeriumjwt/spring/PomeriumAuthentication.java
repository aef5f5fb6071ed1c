package io.github.pomeriumjwt.spring;

import io.github.pomeriumjwt.Identity;
import java.util.Collection;
import org.jspecify.annotations.Nullable;
import org.springframework.security.authentication.AbstractAuthenticationToken;
import org.springframework.security.core.GrantedAuthority;

/**
 * A user whom Pomerium has signed in. The principal is the {@link Identity}: {@code @AuthenticationPrincipal Identity} in
 * a controller. Its name is the subject. It has no credentials.
 */
public final class PomeriumAuthentication extends AbstractAuthenticationToken {
    private static final long serialVersionUID = 1;

    private final Identity identity;

    /** An authentication of a verified identity, with the authorities that the application gives it. */
    public PomeriumAuthentication(Identity identity, Collection<? extends GrantedAuthority> authorities) {
        super(authorities);
        this.identity = identity;
        super.setAuthenticated(true);
    }

    @Override
    public Identity getPrincipal() {
        return identity;
    }

    /** Null: the token has done its work. */
    @Override
    public @Nullable Object getCredentials() {
        return null;
    }

    @Override
    public String getName() {
        return identity.subject();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PomeriumAuthentication authentication
                && identity.equals(authentication.identity)
                && super.equals(other);
    }

    @Override
    public int hashCode() {
        return identity.hashCode();
    }

    /** Shows no personal data. */
    @Override
    public String toString() {
        return "PomeriumAuthentication[" + identity + "]";
    }
}
