package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Guard;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.servlet.PomeriumFilter;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextType;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication.Type;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;

/**
 * Actuator on a port of its own ({@code management.server.port}) is another server, and protected in the same way: by the
 * application's verifier, everywhere, whatever the application's own registration of the filter covers.
 */
@ManagementContextConfiguration(value = ManagementContextType.CHILD, proxyBeanMethods = false)
@ConditionalOnWebApplication(type = Type.SERVLET)
class PomeriumManagementConfiguration {
    @Bean
    FilterRegistrationBean<PomeriumFilter> pomeriumManagementFilter(
            Verifier verifier,
            ObjectProvider<PomeriumFilter.ErrorHandler> errorHandler,
            ObjectProvider<Guard.OnRefused> onRefused) {
        return PomeriumServletAutoConfiguration.everywhere(verifier, errorHandler, onRefused);
    }
}
