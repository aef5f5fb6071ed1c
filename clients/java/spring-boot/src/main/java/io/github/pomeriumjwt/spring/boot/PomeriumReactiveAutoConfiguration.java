package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Guard;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.spring.IdentityAuthorities;
import io.github.pomeriumjwt.spring.reactive.PomeriumWebFilter;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication.Type;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.core.userdetails.ReactiveUserDetailsService;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.WebFilterChainProxy;
import org.springframework.util.ClassUtils;
import org.springframework.web.cors.reactive.CorsConfigurationSource;
import org.springframework.web.cors.reactive.CorsWebFilter;
import org.springframework.web.server.WebFilter;
import reactor.core.publisher.Mono;

/**
 * Puts PomeriumWebFilter in front of a reactive application: of Spring Security's chains, which then know the user, of
 * static files, of every handler. Actuator on a port of its own has the same filters, because Spring takes those of the
 * application for it.
 */
@AutoConfiguration(
        after = PomeriumAutoConfiguration.class,
        // Spring Boot 3 and 4: what these configure is for applications that have nothing of their own
        beforeName = {
            "org.springframework.boot.autoconfigure.security.reactive.ReactiveSecurityAutoConfiguration",
            "org.springframework.boot.autoconfigure.security.reactive.ReactiveUserDetailsServiceAutoConfiguration",
            "org.springframework.boot.actuate.autoconfigure.security.reactive.ReactiveManagementWebSecurityAutoConfiguration",
            "org.springframework.boot.security.autoconfigure.ReactiveUserDetailsServiceAutoConfiguration",
            "org.springframework.boot.security.autoconfigure.web.reactive.ReactiveWebSecurityAutoConfiguration",
            "org.springframework.boot.security.autoconfigure.actuate.web.reactive.ReactiveManagementWebSecurityAutoConfiguration"
        })
@ConditionalOnWebApplication(type = Type.REACTIVE)
@ConditionalOnClass(Mono.class)
public class PomeriumReactiveAutoConfiguration {
    private static final String CORS = "corsConfigurationSource";

    /** In Spring Boot 3 and 4. */
    private static final List<String> SERVER_ROUTES = List.of(
            "org.springframework.boot.web.embedded.netty.NettyRouteProvider",
            "org.springframework.boot.reactor.netty.NettyRouteProvider");

    /** For Spring. */
    PomeriumReactiveAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    PomeriumWebFilter pomeriumWebFilter(
            Verifier verifier,
            IdentityAuthorities authorities,
            ObjectProvider<PomeriumWebFilter.ErrorHandler> errorHandler,
            ObjectProvider<Guard.OnRefused> onRefused) {
        PomeriumWebFilter.Builder filter = PomeriumWebFilter.builder(verifier).authorities(authorities);
        errorHandler.ifAvailable(filter::errorHandler);
        onRefused.ifAvailable(filter::onRefused);
        return filter.build();
    }

    /** Refuses to start if requests could go around the filter. */
    @Bean
    SmartInitializingSingleton pomeriumFilterOrder(ApplicationContext application) {
        return () -> {
            checkOrder(application.getBeanProvider(WebFilter.class).orderedStream().toList());
            SERVER_ROUTES.forEach(type -> checkRoutes(application, type));
        };
    }

    private static void checkOrder(List<WebFilter> filters) {
        for (WebFilter filter : filters) {
            if (filter instanceof PomeriumWebFilter) {
                return;
            }
            if (filter instanceof WebFilterChainProxy) {
                throw new ConfigurationException(
                        "Spring Security comes before PomeriumWebFilter, which then knows no user and refuses too late",
                        "Leave @Order away from your bean of type PomeriumWebFilter: it has an order of its own, "
                                + "PomeriumWebFilter.ORDER.");
            }
        }
    }

    /** The server answers these itself: no filter sees them. */
    private static void checkRoutes(ApplicationContext application, String type) {
        ClassLoader loader = application.getClassLoader();
        if (!ClassUtils.isPresent(type, loader)) {
            return;
        }
        String[] names = application.getBeanNamesForType(ClassUtils.resolveClassName(type, loader));
        if (names.length > 0) {
            throw new ConfigurationException(
                    "the bean " + names[0] + " adds routes to the server, which PomeriumWebFilter does not protect",
                    "Give RSocket a port of its own, spring.rsocket.server.port, and protect it yourself; make other routes "
                            + "handlers of WebFlux.");
        }
    }

    /** CORS as Spring Security has it, a bean of this name, but in front: a browser may read refusals too. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBean(name = CORS, value = CorsConfigurationSource.class)
    static class Cors {
        @Bean
        @Order(PomeriumWebFilter.ORDER - 1)
        @ConditionalOnMissingBean
        CorsWebFilter pomeriumCorsWebFilter(@Qualifier(CORS) CorsConfigurationSource source) {
            return new CorsWebFilter(source);
        }
    }

    /** Spring Security for applications without settings of their own. */
    @Configuration(proxyBeanMethods = false)
    static class Security {
        private static final System.Logger LOGGER = System.getLogger("io.github.pomeriumjwt");

        private static final String UNDECIDED =
                "pomerium-jwt: refused a request that has not come through PomeriumWebFilter. The application replaces the "
                        + "filter or its chain: make the filter a bean again. Paths without users belong into exempt-paths.";

        /**
         * PomeriumWebFilter has refused whom the options do not let in: this brings CSRF protection and safe headers, and
         * refuses what has gone around the filter.
         */
        @Bean
        @ConditionalOnMissingBean(SecurityWebFilterChain.class)
        SecurityWebFilterChain pomeriumSecurityWebFilterChain(ServerHttpSecurity http) {
            AtomicBoolean warned = new AtomicBoolean();
            return http.authorizeExchange(exchanges -> exchanges.anyExchange().access((user, context) -> {
                        boolean decided = PomeriumWebFilter.hasDecided(context.getExchange());
                        if (!decided && warned.compareAndSet(false, true)) {
                            LOGGER.log(Level.WARNING, UNDECIDED);
                        }
                        return Mono.just(new AuthorizationDecision(decided));
                    }))
                    .logout(logout -> logout.disable()) // Pomerium's: Verifier.logoutUrl
                    .build();
        }

        /** No user has a password here, and Boot need not make one up. */
        @Bean
        @ConditionalOnMissingBean(
                type = {
                    "org.springframework.security.authentication.ReactiveAuthenticationManager",
                    "org.springframework.security.authentication.ReactiveAuthenticationManagerResolver",
                    "org.springframework.security.core.userdetails.ReactiveUserDetailsService"
                })
        ReactiveUserDetailsService pomeriumReactiveUserDetailsService() {
            return name -> Mono.empty();
        }
    }
}
