package io.github.pomeriumjwt.spring;

import org.springframework.context.ApplicationContext;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.core.context.SecurityContextHolderStrategy;
import org.springframework.security.web.authentication.AnonymousAuthenticationFilter;

/**
 * Puts the user whom PomeriumFilter has let in into Spring Security's context. Spring applies it to every
 * {@link HttpSecurity} by itself, because this jar names it in META-INF/spring.factories. Authorities are those of the
 * bean {@link IdentityAuthorities}, if there is one.
 */
public final class PomeriumConfigurer extends AbstractHttpConfigurer<PomeriumConfigurer, HttpSecurity> {
    /** For Spring. */
    public PomeriumConfigurer() {}

    @Override
    public void configure(HttpSecurity http) {
        // After all other ways to sign in, which it overrides, and before those who were not signed in get their name
        IdentityAuthorities groups = IdentityAuthorities.withPrefix(IdentityAuthorities.DEFAULT_PREFIX);
        SecurityContextHolderStrategy usual = SecurityContextHolder.getContextHolderStrategy();
        http.addFilterBefore(
                new PomeriumAuthenticationFilter(
                        bean(http, IdentityAuthorities.class, groups),
                        bean(http, SecurityContextHolderStrategy.class, usual)),
                AnonymousAuthenticationFilter.class);
    }

    private static <T> T bean(HttpSecurity http, Class<T> type, T otherwise) {
        return http.getSharedObject(ApplicationContext.class).getBeanProvider(type).getIfAvailable(() -> otherwise);
    }
}
