package io.github.pomeriumjwt.spring;

import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.servlet.PomeriumFilter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Optional;
import org.springframework.security.core.context.SecurityContext;
import org.springframework.security.core.context.SecurityContextHolderStrategy;
import org.springframework.security.web.authentication.WebAuthenticationDetailsSource;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Tells Spring Security whom PomeriumFilter, in front of it, has let in: on every request, whatever a session says.
 * Verifies nothing, refuses nothing and opens no session.
 */
final class PomeriumAuthenticationFilter extends OncePerRequestFilter {
    private final IdentityAuthorities authorities;
    private final SecurityContextHolderStrategy strategy;
    private final WebAuthenticationDetailsSource details = new WebAuthenticationDetailsSource();

    PomeriumAuthenticationFilter(IdentityAuthorities authorities, SecurityContextHolderStrategy strategy) {
        this.authorities = authorities;
        this.strategy = strategy;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        Optional<Identity> user = PomeriumFilter.identity(request).filter(Identity::isUser);
        if (user.isPresent()) {
            strategy.setContext(contextOf(user.get(), request));
        } else if (strategy.getContext().getAuthentication() instanceof PomeriumAuthentication) {
            strategy.setContext(strategy.createEmptyContext()); // from a session: it is not of this request
        }
        chain.doFilter(request, response);
    }

    private SecurityContext contextOf(Identity user, HttpServletRequest request) {
        PomeriumAuthentication authentication = new PomeriumAuthentication(user, authorities.of(user));
        authentication.setDetails(details.buildDetails(request));
        SecurityContext context = strategy.createEmptyContext();
        context.setAuthentication(authentication);
        return context;
    }

    /** Each dispatch has a context of its own. */
    @Override
    protected boolean shouldNotFilterAsyncDispatch() {
        return false;
    }

    @Override
    protected boolean shouldNotFilterErrorDispatch() {
        return false;
    }
}
