package io.github.pomeriumjwt.test.spring;

import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.spring.IdentityAuthorities;
import io.github.pomeriumjwt.spring.PomeriumAuthentication;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.security.core.context.SecurityContext;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.test.context.support.WithSecurityContextFactory;

/** Makes the security context of {@link WithPomeriumUser}. */
final class PomeriumUserContexts implements WithSecurityContextFactory<WithPomeriumUser> {
    private final ObjectProvider<IdentityAuthorities> authorities;

    /** What MockMvc sends. */
    record Token(String text) {
        /** Shows no token. */
        @Override
        public String toString() {
            return "Token[]";
        }
    }

    PomeriumUserContexts(ObjectProvider<IdentityAuthorities> authorities) {
        this.authorities = authorities;
    }

    @Override
    public SecurityContext createSecurityContext(WithPomeriumUser annotation) {
        PomeriumUser user = PomeriumUser.named(annotation.value()).groups(annotation.groups());
        String token = user.token();
        Identity identity = user.identity(token);
        IdentityAuthorities mapping =
                authorities.getIfAvailable(() -> IdentityAuthorities.withPrefix(IdentityAuthorities.DEFAULT_PREFIX));
        PomeriumAuthentication authentication = new PomeriumAuthentication(identity, mapping.of(identity));
        authentication.setDetails(new Token(token));
        SecurityContext context = SecurityContextHolder.createEmptyContext();
        context.setAuthentication(authentication);
        return context;
    }
}
