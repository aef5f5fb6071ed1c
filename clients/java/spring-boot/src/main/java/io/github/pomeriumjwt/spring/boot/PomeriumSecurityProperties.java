package io.github.pomeriumjwt.spring.boot;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of Spring's side. They have a prefix of their own, because POMERIUM_JWT_* is the core's.
 *
 * @param authorityPrefix of the authorities that groups become
 */
@ConfigurationProperties("pomerium.security")
record PomeriumSecurityProperties(@DefaultValue("ROLE_") String authorityPrefix) {}
