package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Verifier;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.autoconfigure.health.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.actuate.endpoint.SecurityContext;
import org.springframework.boot.actuate.health.AdditionalHealthEndpointPath;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthEndpointGroup;
import org.springframework.boot.actuate.health.HealthEndpointGroups;
import org.springframework.boot.actuate.health.HealthEndpointGroupsPostProcessor;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.actuate.health.HttpCodeStatusMapper;
import org.springframework.boot.actuate.health.StatusAggregator;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** The verifier in Actuator's health, as part of the readiness group: with the classes of Spring Boot 3. */
@AutoConfiguration(
        after = PomeriumAutoConfiguration.class,
        // Makes the readiness group in a post-processor that is as late as one can be: ours must be registered after it
        afterName = "org.springframework.boot.actuate.autoconfigure.availability.AvailabilityProbesAutoConfiguration")
@ConditionalOnClass({HealthIndicator.class, SecurityContext.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(Verifier.class)
@ConditionalOnEnabledHealthIndicator(KeysHealth.NAME)
public class PomeriumHealthAutoConfiguration {
    /** For Spring. */
    PomeriumHealthAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean(name = "pomeriumHealthIndicator")
    HealthIndicator pomeriumHealthIndicator(Verifier verifier) {
        return () -> {
            KeysHealth keys = KeysHealth.of(verifier);
            Health.Builder health = keys.ready() ? Health.up() : Health.outOfService();
            return health.withDetails(keys.details()).build();
        };
    }

    @Bean
    @Order(Ordered.LOWEST_PRECEDENCE)
    static HealthEndpointGroupsPostProcessor pomeriumReadiness() {
        return groups -> {
            HealthEndpointGroup readiness = groups.get(KeysHealth.GROUP);
            if (readiness == null) {
                return groups;
            }
            Map<String, HealthEndpointGroup> named = new LinkedHashMap<>();
            groups.getNames().forEach(name -> named.put(name, groups.get(name)));
            named.put(KeysHealth.GROUP, new Readiness(readiness));
            return HealthEndpointGroups.of(groups.getPrimary(), named);
        };
    }

    /** The group with one more member. */
    private record Readiness(HealthEndpointGroup group) implements HealthEndpointGroup {
        @Override
        public boolean isMember(String name) {
            return name.equals(KeysHealth.NAME) || group.isMember(name);
        }

        @Override
        public boolean showComponents(SecurityContext context) {
            return group.showComponents(context);
        }

        @Override
        public boolean showDetails(SecurityContext context) {
            return group.showDetails(context);
        }

        @Override
        public StatusAggregator getStatusAggregator() {
            return group.getStatusAggregator();
        }

        @Override
        public HttpCodeStatusMapper getHttpCodeStatusMapper() {
            return group.getHttpCodeStatusMapper();
        }

        @Override
        public @Nullable AdditionalHealthEndpointPath getAdditionalPath() {
            return group.getAdditionalPath();
        }
    }
}
