package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Options;
import java.util.List;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * Binds {@code pomerium.jwt.*} from every source but the system environment: the core reads POMERIUM_JWT_* itself, as in
 * every language, and these options are laid over it.
 */
final class PropertyBinding {
    private PropertyBinding() {}

    static Options options(ConfigurableEnvironment environment) {
        List<PropertySource<?>> all = environment.getPropertySources().stream()
                .filter(source -> !(source instanceof SystemEnvironmentPropertySource))
                .filter(source -> !ConfigurationPropertySources.isAttachedConfigurationPropertySource(source))
                .toList();
        Binder binder = new Binder(
                ConfigurationPropertySources.from(all), new PropertySourcesPlaceholdersResolver(environment));
        return binder.bindOrCreate("pomerium.jwt", PomeriumJwtProperties.class).toOptions();
    }
}
