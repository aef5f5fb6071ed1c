package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Options;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.spring.IdentityAuthorities;
import java.lang.System.Logger.Level;
import java.util.List;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * The verifier, from {@code pomerium.jwt.*} laid over the environment's POMERIUM_JWT_*. A bean of type {@link Options}
 * takes the place of the properties; one of type {@link Verifier} that of the environment too.
 */
@AutoConfiguration
@EnableConfigurationProperties(PomeriumSecurityProperties.class)
public class PomeriumAutoConfiguration {
    private static final System.Logger LOGGER = System.getLogger("io.github.pomeriumjwt");

    /** A name that no application gives to a bean of its own. */
    private static final String FROM_PROPERTIES = "io.github.pomeriumjwt.options";

    /** For Spring. */
    PomeriumAutoConfiguration(ConfigurableEnvironment environment) {
        PropertyNames.check(environment);
    }

    @Bean(FROM_PROPERTIES)
    @ConditionalOnMissingBean({Options.class, Verifier.class})
    Options pomeriumOptions(ConfigurableEnvironment environment) {
        return PropertyBinding.options(environment);
    }

    @Bean
    @ConditionalOnMissingBean
    Verifier pomeriumVerifier(Options options) {
        return Verifier.overEnv(options);
    }

    /** Warns of properties that nobody reads: a check that is written there is not made. */
    @Bean
    SmartInitializingSingleton pomeriumUnreadProperties(ListableBeanFactory beans, ConfigurableEnvironment environment) {
        return () -> {
            List<String> unread = beans.containsBean(FROM_PROPERTIES) ? List.of() : PropertyNames.optionsIn(environment);
            if (!unread.isEmpty()) {
                LOGGER.log(
                        Level.WARNING,
                        "pomerium-jwt: not read: {0}. The application has a bean of type Verifier or Options, which takes the "
                                + "place of all properties: set these in code, and delete the properties",
                        String.join(", ", unread));
            }
        };
    }

    @Bean
    @ConditionalOnMissingBean
    IdentityAuthorities pomeriumAuthorities(PomeriumSecurityProperties properties) {
        return IdentityAuthorities.withPrefix(properties.authorityPrefix());
    }
}
