package io.github.pomeriumjwt.spring.boot;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.origin.PropertySourceOrigin;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * Stops the application if it sets a property that nobody reads: a misspelt name would drop a check in silence. Everything
 * below our prefixes must be known, and elsewhere nothing may differ from a known name by a typing error.
 */
final class PropertyNames {
    private static final ConfigurationPropertyName OPTIONS = ConfigurationPropertyName.of("pomerium.jwt");
    private static final ConfigurationPropertyName SECURITY = ConfigurationPropertyName.of("pomerium.security");

    /** In letters to insert, delete or replace. */
    private static final int TYPING_ERROR = 2;

    private static final List<Known> KNOWN = Stream.concat(
                    known(OPTIONS, PomeriumJwtProperties.class),
                    known(SECURITY, PomeriumSecurityProperties.class))
            .toList();

    private PropertyNames() {}

    /** A property that is read. */
    private record Known(ConfigurationPropertyName name, Class<?> type, String letters) {
        Known(ConfigurationPropertyName name, Class<?> type) {
            this(name, type, PropertyNames.letters(name.toString()));
        }

        boolean reads(ConfigurationPropertyName property) {
            return name.equals(property)
                    || type == Map.class && name.isAncestorOf(property)
                    || type == List.class && name.isParentOf(property) && property.isLastElementIndexed();
        }

        /** An option of the core, and not a setting of Spring's side. */
        boolean isOption() {
            return OPTIONS.isParentOf(name);
        }

        String variable() {
            return name.toString().replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
        }
    }

    private static Stream<Known> known(ConfigurationPropertyName prefix, Class<? extends Record> properties) {
        return Arrays.stream(properties.getRecordComponents()).map(property ->
                new Known(prefix.append(dashed(property)), property.getType()));
    }

    private static String dashed(RecordComponent property) {
        return property.getName().replaceAll("[A-Z]", "-$0").toLowerCase(Locale.ROOT);
    }

    /**
     * Looks at every source that tells its names.
     *
     * @throws ConfigurationException for a name that nobody reads, with the nearest one that is
     */
    static void check(ConfigurableEnvironment environment) {
        forEach(environment, (source, name) -> check(name, isEnvironment(source) ? variable(source, name) : null));
    }

    /** The names of options that properties set, without those of the system environment, which the core reads. */
    static List<String> optionsIn(ConfigurableEnvironment environment) {
        Set<String> found = new TreeSet<>();
        forEach(environment, (source, name) -> {
            ConfigurationProperty property = source.getConfigurationProperty(name);
            if (property != null && !"".equals(property.getValue()) && !isEnvironment(source)) {
                KNOWN.stream()
                        .filter(known -> known.isOption() && known.reads(name))
                        .forEach(known -> found.add(known.name().toString()));
            }
        });
        return List.copyOf(found);
    }

    private static boolean isEnvironment(ConfigurationPropertySource source) {
        return source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource;
    }

    private static void forEach(
            ConfigurableEnvironment environment, BiConsumer<ConfigurationPropertySource, ConfigurationPropertyName> each) {
        for (PropertySource<?> source : environment.getPropertySources()) {
            // Of a list: from a single source Spring Boot takes no prefix of the application's
            for (ConfigurationPropertySource properties : ConfigurationPropertySources.from(List.of(source))) {
                if (properties instanceof IterableConfigurationPropertySource names) {
                    names.forEach(name -> each.accept(properties, name));
                }
            }
        }
    }

    /** As it is written in the system environment: Spring's name of it has lost the application's own prefix. */
    private static @Nullable String variable(ConfigurationPropertySource source, ConfigurationPropertyName name) {
        ConfigurationProperty property = source.getConfigurationProperty(name);
        return property != null && property.getOrigin() instanceof PropertySourceOrigin origin ? origin.getPropertyName() : null;
    }

    private static void check(ConfigurationPropertyName name, @Nullable String variable) {
        boolean isRead = variable == null ? KNOWN.stream().anyMatch(known -> known.reads(name)) : isRead(variable, name);
        if (!isRead) {
            refuseIfOurs(name, variable);
        }
    }

    /**
     * POMERIUM_JWT_* is the core's, which refuses unknown ones itself. Spring would bind more spellings than the core reads,
     * with dots for example, or with a prefix that the application has chosen.
     */
    private static boolean isRead(String variable, ConfigurationPropertyName name) {
        String letters = letters(name.toString());
        return variable.toUpperCase(Locale.ROOT).startsWith("POMERIUM_JWT_")
                || KNOWN.stream().anyMatch(known -> !known.isOption() && known.letters().equals(letters));
    }

    private static void refuseIfOurs(ConfigurationPropertyName name, @Nullable String variable) {
        String letters = letters(name.toString());
        boolean isOurs = OPTIONS.isAncestorOf(name)
                || SECURITY.isAncestorOf(name)
                || KNOWN.stream().anyMatch(known -> isTypingError(letters, known.letters()));
        if (isOurs) {
            Known meant = KNOWN.stream()
                    .min(Comparator.comparingInt(known -> distance(letters, known.letters())))
                    .orElseThrow();
            throw new ConfigurationException(
                    (variable == null ? name : variable) + " is not a property of pomerium-jwt. Did you mean "
                            + (variable != null && meant.isOption() ? meant.variable() : meant.name()) + "?",
                    "Correct the name, or delete it. An editor with support for Spring Boot lists the properties.");
        }
    }

    private static String letters(String name) {
        return name.replaceAll("[^A-Za-z0-9]", "").toLowerCase(Locale.ROOT);
    }

    private static boolean isTypingError(String one, String other) {
        return Math.abs(one.length() - other.length()) <= TYPING_ERROR && distance(one, other) <= TYPING_ERROR;
    }

    /** Levenshtein's. */
    private static int distance(String one, String other) {
        int[] row = new int[other.length() + 1];
        Arrays.setAll(row, column -> column);
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= other.length(); j++) {
                int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[other.length()];
    }
}
