package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Options;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * Binds {@code pomerium.jwt.*} strictly, from every source but the system environment: the core reads POMERIUM_JWT_*
 * itself, as in every language, and these options are laid over it. A name that is not an option stops the application.
 */
final class PropertyBinding {
    private static final ConfigurationPropertyName PREFIX = ConfigurationPropertyName.of("pomerium.jwt");

    /** The options by their names without case and dashes. */
    private static final Map<String, Class<?>> KNOWN = Arrays.stream(PomeriumJwtProperties.class.getRecordComponents())
            .collect(Collectors.toMap(option -> option.getName().toLowerCase(Locale.ROOT), RecordComponent::getType));

    private PropertyBinding() {}

    static Options options(ConfigurableEnvironment environment) {
        List<PropertySource<?>> all = environment.getPropertySources().stream()
                .filter(source -> !(source instanceof SystemEnvironmentPropertySource))
                .filter(source -> !ConfigurationPropertySources.isAttachedConfigurationPropertySource(source))
                .toList();
        Iterable<ConfigurationPropertySource> sources = ConfigurationPropertySources.from(all);
        sources.forEach(PropertyBinding::check);
        Binder binder = new Binder(sources, new PropertySourcesPlaceholdersResolver(environment));
        return binder.bindOrCreate(PREFIX.toString(), PomeriumJwtProperties.class).toOptions();
    }

    /** A misspelt name would drop a check in silence. */
    private static void check(ConfigurationPropertySource source) {
        if (source instanceof IterableConfigurationPropertySource names) {
            names.stream().filter(PREFIX::isAncestorOf).filter(name -> !isKnown(name)).findFirst().ifPresent(unknown -> {
                throw new ConfigurationException(
                        unknown + " is not an option of pomerium-jwt",
                        "Correct the name, or delete the property. An editor with support for Spring Boot lists the options.");
            });
        }
    }

    private static boolean isKnown(ConfigurationPropertyName name) {
        int option = PREFIX.getNumberOfElements();
        int deeper = name.getNumberOfElements() - option - 1;
        Class<?> type = KNOWN.get(name.getElement(option, Form.UNIFORM));
        return type != null
                && (deeper == 0 || type == Map.class || type == List.class && deeper == 1 && name.isLastElementIndexed());
    }
}
