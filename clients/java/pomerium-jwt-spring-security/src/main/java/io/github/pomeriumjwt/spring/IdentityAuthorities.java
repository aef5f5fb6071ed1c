package io.github.pomeriumjwt.spring;

import io.github.pomeriumjwt.Identity;
import java.util.Collection;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.core.authority.SimpleGrantedAuthority;

/** What a user may do, as Spring Security names it. Declare a bean of this type for a mapping of your own. */
@FunctionalInterface
public interface IdentityAuthorities {
    /** The prefix of roles: {@code hasRole("admins")} asks for the group admins. */
    String DEFAULT_PREFIX = "ROLE_";

    /** The authorities of a user. */
    Collection<? extends GrantedAuthority> of(Identity identity);

    /** An authority for each group: the prefix and the group's name as Pomerium writes it. */
    static IdentityAuthorities withPrefix(String prefix) {
        return identity -> identity.groups().stream().map(group -> new SimpleGrantedAuthority(prefix + group)).toList();
    }
}
