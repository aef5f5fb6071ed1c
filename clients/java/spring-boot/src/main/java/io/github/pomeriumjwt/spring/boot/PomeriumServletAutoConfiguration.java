package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Guard;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.servlet.PomeriumFilter;
import jakarta.servlet.DispatcherType;
import java.lang.System.Logger.Level;
import java.util.EnumSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication.Type;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.access.intercept.RequestAuthorizationContext;
import org.springframework.web.cors.CorsConfigurationSource;
import org.springframework.web.filter.CorsFilter;

/**
 * Puts PomeriumFilter in front of the application: of Spring Security's chain, of static files, of every servlet. Spring
 * Security then knows the user in every chain, by PomeriumConfigurer.
 */
@AutoConfiguration(
        after = PomeriumAutoConfiguration.class,
        // Spring Boot 3 and 4: what these configure is for applications that have nothing of their own
        beforeName = {
            "org.springframework.boot.autoconfigure.security.servlet.SecurityAutoConfiguration",
            "org.springframework.boot.autoconfigure.security.servlet.UserDetailsServiceAutoConfiguration",
            "org.springframework.boot.actuate.autoconfigure.security.servlet.ManagementWebSecurityAutoConfiguration",
            "org.springframework.boot.security.autoconfigure.SecurityAutoConfiguration",
            "org.springframework.boot.security.autoconfigure.UserDetailsServiceAutoConfiguration",
            "org.springframework.boot.security.autoconfigure.web.servlet.ServletWebSecurityAutoConfiguration",
            "org.springframework.boot.security.autoconfigure.actuate.web.servlet.ManagementWebSecurityAutoConfiguration"
        })
@ConditionalOnWebApplication(type = Type.SERVLET)
public class PomeriumServletAutoConfiguration {
    /** After the filters of Boot that only look on (encoding, observations), and long before Spring Security's at -100. */
    static final int ORDER = Ordered.HIGHEST_PRECEDENCE + 10;

    private static final String CORS = "corsConfigurationSource";

    /** For Spring. */
    PomeriumServletAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean(value = PomeriumFilter.class, parameterizedContainer = FilterRegistrationBean.class)
    FilterRegistrationBean<PomeriumFilter> pomeriumFilter(
            Verifier verifier,
            ObjectProvider<PomeriumFilter.ErrorHandler> errorHandler,
            ObjectProvider<Guard.OnRefused> onRefused) {
        return everywhere(verifier, errorHandler, onRefused);
    }

    /** The filter for every path and every dispatch. */
    static FilterRegistrationBean<PomeriumFilter> everywhere(
            Verifier verifier,
            ObjectProvider<PomeriumFilter.ErrorHandler> errorHandler,
            ObjectProvider<Guard.OnRefused> onRefused) {
        PomeriumFilter.Builder filter = PomeriumFilter.builder().verifier(verifier);
        errorHandler.ifAvailable(filter::errorHandler);
        onRefused.ifAvailable(filter::onRefused);
        FilterRegistrationBean<PomeriumFilter> registration = new FilterRegistrationBean<>(filter.build());
        registration.setDispatcherTypes(EnumSet.allOf(DispatcherType.class));
        registration.addUrlPatterns("/*");
        registration.setOrder(ORDER);
        return registration;
    }

    /** CORS as Spring Security has it, a bean of this name, but in front: a browser may read refusals too. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBean(name = CORS, value = CorsConfigurationSource.class)
    static class Cors {
        @Bean
        FilterRegistrationBean<CorsFilter> pomeriumCorsFilter(@Qualifier(CORS) CorsConfigurationSource source) {
            FilterRegistrationBean<CorsFilter> registration = new FilterRegistrationBean<>(new CorsFilter(source));
            registration.setOrder(ORDER - 1);
            return registration;
        }
    }

    /** Spring Security for applications without settings of their own. */
    @Configuration(proxyBeanMethods = false)
    static class Security {
        private static final System.Logger LOGGER = System.getLogger("io.github.pomeriumjwt");

        private static final String UNDECIDED =
                "pomerium-jwt: refused a request that has not come through PomeriumFilter. The application registers the "
                        + "filter itself: map it to /* and to every dispatcher type, with an order before Spring Security's "
                        + "(-100). Paths without users belong into exempt-paths.";

        /**
         * PomeriumFilter has refused whom the options do not let in: this brings CSRF protection and safe headers, and
         * refuses what an application's own registration of the filter leaves out.
         */
        @Bean
        @ConditionalOnMissingBean(SecurityFilterChain.class)
        SecurityFilterChain pomeriumSecurityFilterChain(HttpSecurity http) throws Exception {
            return http.authorizeHttpRequests(requests -> requests.anyRequest().access(onlyDecided()))
                    .logout(logout -> logout.disable()) // Pomerium's: Verifier.logoutUrl
                    .build();
        }

        private static AuthorizationManager<RequestAuthorizationContext> onlyDecided() {
            AtomicBoolean warned = new AtomicBoolean();
            return (user, context) -> {
                boolean decided = PomeriumFilter.hasDecided(context.getRequest());
                if (!decided && warned.compareAndSet(false, true)) {
                    LOGGER.log(Level.WARNING, UNDECIDED);
                }
                return new AuthorizationDecision(decided);
            };
        }

        /** No user has a password here, and Boot need not make one up. */
        @Bean
        @ConditionalOnMissingBean(
                type = {
                    "org.springframework.security.authentication.AuthenticationManager",
                    "org.springframework.security.authentication.AuthenticationProvider",
                    "org.springframework.security.core.userdetails.UserDetailsService",
                    "org.springframework.security.authentication.AuthenticationManagerResolver"
                })
        UserDetailsService pomeriumUserDetailsService() {
            return new InMemoryUserDetailsManager();
        }
    }
}
