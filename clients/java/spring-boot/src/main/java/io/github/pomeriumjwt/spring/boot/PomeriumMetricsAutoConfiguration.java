package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Verifier;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** Meters of the verifier, for applications that have Micrometer. */
@AutoConfiguration(after = PomeriumAutoConfiguration.class)
@ConditionalOnClass(MeterBinder.class)
@ConditionalOnBean(Verifier.class)
public class PomeriumMetricsAutoConfiguration {
    /** For Spring. */
    PomeriumMetricsAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean(name = "pomeriumMetrics")
    MeterBinder pomeriumMetrics(Verifier verifier) {
        return new PomeriumMetrics(verifier);
    }
}
