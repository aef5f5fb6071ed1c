package io.github.pomeriumjwt.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.pomeriumjwt.Options;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.servlet.PomeriumFilter;
import io.github.pomeriumjwt.spring.IdentityAuthorities;
import io.github.pomeriumjwt.spring.reactive.PomeriumWebFilter;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.logging.StreamHandler;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.ReactiveWebApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.annotation.web.configuration.EnableWebSecurity;
import org.springframework.security.config.annotation.web.reactive.EnableWebFluxSecurity;
import org.springframework.security.core.userdetails.ReactiveUserDetailsService;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.server.MatcherSecurityWebFilterChain;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.util.matcher.ServerWebExchangeMatchers;
import org.springframework.security.web.util.matcher.AnyRequestMatcher;
import org.springframework.web.cors.reactive.CorsWebFilter;
import org.springframework.web.server.WebFilter;
import reactor.core.publisher.Mono;

/** What the auto-configuration makes, and leaves to the application. */
class ConfigurationTest {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();
    private static final String ROUTE = "pomerium.jwt.route=https://app.example.com";

    @EnableWebSecurity
    static class WebSecurity {}

    private final WebApplicationContextRunner runner = new WebApplicationContextRunner()
            .withUserConfiguration(WebSecurity.class)
            .withConfiguration(AutoConfigurations.of(
                    PomeriumAutoConfiguration.class,
                    PomeriumServletAutoConfiguration.class,
                    PomeriumMetricsAutoConfiguration.class,
                    PomeriumHealthAutoConfiguration.class));

    @Test
    void oneLineSuffices() {
        runner.withPropertyValues(ROUTE).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context.getBean(Verifier.class).summary()).contains("app.example.com or https://app.example.com/");
            FilterRegistrationBean<?> filter = context.getBean("pomeriumFilter", FilterRegistrationBean.class);
            assertThat(filter.getFilter()).isInstanceOf(PomeriumFilter.class);
            assertThat(filter.getOrder()).isLessThan(-10_000); // hidden methods, forms, sessions, Spring Security
            assertThat(filter.determineDispatcherTypes()).hasSize(jakarta.servlet.DispatcherType.values().length);
        });
    }

    @Test
    void theVerifierIsClosedWithTheContext() {
        Verifier[] verifier = new Verifier[1];
        runner.withPropertyValues(ROUTE).run(context -> verifier[0] = context.getBean(Verifier.class));
        assertThat(verifier[0].health().configured()).isFalse();
    }

    @Test
    void everyBeanGivesWay() {
        try (Verifier mine = ISSUER.verifier()) {
            SecurityFilterChain chain = new org.springframework.security.web.DefaultSecurityFilterChain(AnyRequestMatcher.INSTANCE);
            IdentityAuthorities none = identity -> List.of();
            FilterRegistrationBean<PomeriumFilter> filter = new FilterRegistrationBean<>(PomeriumFilter.of(mine));
            runner.withBean("mine", Verifier.class, () -> mine)
                    .withBean(SecurityFilterChain.class, () -> chain)
                    .withBean(IdentityAuthorities.class, () -> none)
                    .withBean(UserDetailsService.class, () -> name -> null)
                    .withBean("myFilter", FilterRegistrationBean.class, () -> filter)
                    .run(context -> {
                        assertThat(context).hasSingleBean(Verifier.class);
                        assertThat(context).hasSingleBean(SecurityFilterChain.class);
                        assertThat(context.getBean(IdentityAuthorities.class)).isSameAs(none);
                        assertThat(context).hasSingleBean(UserDetailsService.class);
                    });
        }
    }

    @Test
    void optionsInCodeTakeThePlaceOfProperties() {
        Options options = Options.builder().route("https://other.example.com").build();
        runner.withBean(Options.class, () -> options)
                .withPropertyValues(ROUTE)
                .run(context -> assertThat(context.getBean(Verifier.class).summary()).contains("other.example.com"));
    }

    @Test
    void thePrefixOfAuthoritiesIsConfigurable() {
        try (Verifier verifier = ISSUER.verifier()) {
            var identity = verifier.verify(ISSUER.token(Map.of("groups", List.of("admins"))));
            runner.withPropertyValues(ROUTE, "pomerium.security.authority-prefix=GROUP_").run(context ->
                    assertThat(context.getBean(IdentityAuthorities.class).of(identity)).extracting(Object::toString)
                            .containsExactly("GROUP_admins"));
        }
    }

    @Test
    void aMistakeIsExplained() {
        runner.run(context -> {
            assertThat(context).hasFailed();
            FailureAnalysis analysis = new PomeriumFailureAnalyzer().analyze(context.getStartupFailure());
            assertThat(analysis.getDescription()).startsWith("invalid_options: audience is missing: set route");
            assertThat(analysis.getAction()).contains("pomerium.jwt.route");
        });
        runner.withPropertyValues(ROUTE, "pomerium.jwt.exempt-paths=/*").run(context -> assertThat(context).hasFailed());
    }

    /** Also if the application brings a verifier of its own, so that the properties are not read at all. */
    @Test
    void aNameThatNobodyReadsIsExplained() {
        try (Verifier verifier = ISSUER.verifier()) {
            runner.withBean(Verifier.class, () -> verifier)
                    .withSystemProperties("pomerium.jwt.required-group=admins")
                    .run(context -> {
                        FailureAnalysis analysis = new PomeriumFailureAnalyzer().analyze(context.getStartupFailure());
                        assertThat(analysis.getDescription()).endsWith("Did you mean pomerium.jwt.require-group?");
                    });
        }
    }

    /** A check that an operator has written down is not made then. */
    @Test
    void propertiesThatNobodyReadsAreNamed() {
        String[] properties = {ROUTE, "pomerium.jwt.require-group[0]=admins", "pomerium.jwt.audience="};
        String unread = "not read: pomerium.jwt.require-group, pomerium.jwt.route. The application has a bean";
        try (Verifier verifier = ISSUER.verifier()) {
            assertThat(logged(() -> runner.withPropertyValues(properties).run(context -> {}))).doesNotContain("not read");
            assertThat(logged(() -> runner.withBean("mine", Verifier.class, () -> verifier)
                            .withPropertyValues(properties)
                            .run(context -> assertThat(context).hasNotFailed())))
                    .containsOnlyOnce(unread)
                    .doesNotContain("admins");
            assertThat(logged(() -> runner.withBean("pomeriumOptions", Options.class, () -> ISSUER.options().build())
                            .withPropertyValues(properties)
                            .run(context -> assertThat(context).hasNotFailed())))
                    .containsOnlyOnce(unread);
            assertThat(logged(() -> runner.withBean(Verifier.class, () -> verifier).run(context -> {}))).doesNotContain("not read");
        }
    }

    private static String logged(Runnable action) {
        Logger logger = Logger.getLogger("io.github.pomeriumjwt");
        StringBuilder lines = new StringBuilder();
        Handler handler = new StreamHandler(OutputStream.nullOutputStream(), new SimpleFormatter()) {
            @Override
            public void publish(LogRecord line) {
                lines.append(getFormatter().formatMessage(line)).append('\n');
            }
        };
        logger.addHandler(handler);
        try {
            action.run();
        } finally {
            logger.removeHandler(handler);
        }
        return lines.toString();
    }

    @EnableWebFluxSecurity
    static class WebFluxSecurity {
        @Bean
        org.springframework.web.cors.reactive.CorsConfigurationSource corsConfigurationSource() {
            return new org.springframework.web.cors.reactive.UrlBasedCorsConfigurationSource();
        }
    }

    private final ReactiveWebApplicationContextRunner reactive = new ReactiveWebApplicationContextRunner()
            .withUserConfiguration(WebFluxSecurity.class)
            .withPropertyValues(ROUTE)
            .withConfiguration(AutoConfigurations.of(
                    PomeriumAutoConfiguration.class,
                    PomeriumServletAutoConfiguration.class,
                    PomeriumReactiveAutoConfiguration.class));

    @Test
    void aReactiveApplicationIsProtectedInFront() {
        reactive.run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context).doesNotHaveBean(FilterRegistrationBean.class);
            assertThat(context.getBeanProvider(WebFilter.class).orderedStream()).extracting(Object::getClass).startsWith(
                    CorsWebFilter.class, PomeriumWebFilter.class);
            assertThat(context).hasSingleBean(SecurityWebFilterChain.class);
        });
    }

    @Test
    void everyReactiveBeanGivesWay() {
        try (Verifier mine = ISSUER.verifier()) {
            PomeriumWebFilter filter = PomeriumWebFilter.of(mine);
            SecurityWebFilterChain chain = new MatcherSecurityWebFilterChain(ServerWebExchangeMatchers.anyExchange(), List.of(filter));
            CorsWebFilter cors = new CorsWebFilter(new org.springframework.web.cors.reactive.UrlBasedCorsConfigurationSource());
            reactive.withBean("mine", Verifier.class, () -> mine)
                    .withBean("myFilter", PomeriumWebFilter.class, () -> filter)
                    .withBean(SecurityWebFilterChain.class, () -> chain)
                    .withBean(CorsWebFilter.class, () -> cors)
                    .withBean(ReactiveUserDetailsService.class, () -> name -> Mono.empty())
                    .run(context -> {
                        assertThat(context.getBean(PomeriumWebFilter.class)).isSameAs(filter);
                        assertThat(context).hasSingleBean(SecurityWebFilterChain.class);
                        assertThat(context).hasSingleBean(CorsWebFilter.class);
                        assertThat(context).hasSingleBean(ReactiveUserDetailsService.class);
                    });
        }
    }

    @Test
    void metersCountAnswers() {
        try (Verifier verifier = ISSUER.verifier()) {
            runner.withBean("mine", Verifier.class, () -> verifier).run(context -> {
                MeterRegistry registry = new SimpleMeterRegistry();
                context.getBean("pomeriumMetrics", MeterBinder.class).bindTo(registry);
                verifier.verify(ISSUER.token());
                assertThat(registry.get("pomerium.jwt.answers").tag("code", "ok").functionCounter().count()).isEqualTo(1);
                assertThat(registry.get("pomerium.jwt.answers").tag("code", "token_missing").functionCounter().count()).isZero();
                verifier.status().counts().keySet().forEach(code ->
                        assertThat(registry.get("pomerium.jwt.answers").tag("code", code).functionCounter()).isNotNull());
                assertThat(registry.get("pomerium.jwt.keys").gauge().value()).isEqualTo(1);
                assertThat(registry.get("pomerium.jwt.keys.age").gauge().value()).isNaN();
            });
        }
    }
}
