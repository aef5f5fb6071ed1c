package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Options;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.spring.IdentityAuthorities;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication.Type;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * The verifier, from {@code pomerium.jwt.*} laid over the environment's POMERIUM_JWT_*. A bean of type {@link Options}
 * takes the place of the properties; one of type {@link Verifier} that of the environment too.
 */
@AutoConfiguration
@EnableConfigurationProperties(PomeriumSecurityProperties.class)
public class PomeriumAutoConfiguration {
    /** For Spring. */
    PomeriumAutoConfiguration(ConfigurableEnvironment environment) {
        PropertyNames.check(environment);
    }

    @Bean
    @ConditionalOnMissingBean
    Verifier pomeriumVerifier(ConfigurableEnvironment environment, ObjectProvider<Options> options) {
        return Verifier.overEnv(options.getIfAvailable(() -> PropertyBinding.options(environment)));
    }

    @Bean
    @ConditionalOnMissingBean
    IdentityAuthorities pomeriumAuthorities(PomeriumSecurityProperties properties) {
        return IdentityAuthorities.withPrefix(properties.authorityPrefix());
    }

    /** Nothing here protects WebFlux, and an application that believes so must not start. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnWebApplication(type = Type.REACTIVE)
    static class Reactive {
        Reactive() {
            throw new ConfigurationException(
                    "pomerium-jwt protects servlet applications, and this one is reactive (WebFlux)",
                    "Use Spring MVC; or depend on the module pomerium-jwt instead of the starter, and call Verifier.admit in "
                            + "a WebFilter of your own, on a thread that may wait.");
        }
    }
}
