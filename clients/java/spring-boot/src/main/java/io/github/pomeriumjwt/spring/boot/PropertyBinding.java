package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Options;
import java.util.List;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * Binds {@code pomerium.jwt.*} strictly, from every source but the system environment: the core reads POMERIUM_JWT_*
 * itself, as in every language, and these options are laid over it. A name that is not an option stops the application.
 */
final class PropertyBinding {
    private static final String PREFIX = "pomerium.jwt";

    private PropertyBinding() {}

    static Options options(ConfigurableEnvironment environment) {
        List<PropertySource<?>> sources = environment.getPropertySources().stream()
                .filter(source -> !(source instanceof SystemEnvironmentPropertySource))
                .filter(source -> !ConfigurationPropertySources.isAttachedConfigurationPropertySource(source))
                .toList();
        Binder binder = new Binder(
                ConfigurationPropertySources.from(sources), new PropertySourcesPlaceholdersResolver(environment));
        BindHandler strict = new NoUnboundElementsBindHandler(BindHandler.DEFAULT, source -> true);
        return binder.bindOrCreate(PREFIX, Bindable.of(PomeriumJwtProperties.class), strict).toOptions();
    }
}
