package io.github.pomeriumjwt.spring.boot;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** What nobody reads stops the start, with the name that was meant. */
class PropertyNamesTest {
    private static final String ENVIRONMENT = StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME;

    private static void check(PropertySource<?> source) {
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources().addFirst(source);
        PropertyNames.check(environment);
    }

    private static void checkProperty(String name) {
        check(new MapPropertySource("test", Map.of(name, "secret")));
    }

    private static void checkVariable(String name) {
        check(new SystemEnvironmentPropertySource(ENVIRONMENT, Map.of(name, "secret")));
    }

    private static void assertRefused(String name, String meant, Runnable check) {
        ConfigurationException wrong = assertThrows(ConfigurationException.class, check::run, name);
        assertEquals(name + " is not a property of pomerium-jwt. Did you mean " + meant + "?", wrong.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "pomerium.jwt.required-group, pomerium.jwt.require-group",
        "pomerium.jwt.requiregroupp, pomerium.jwt.require-group",
        "pomerium.jwt.expected-claims.department, pomerium.jwt.expect-claims",
        "pomerium.jwt.leeway[0], pomerium.jwt.leeway",
        "pomerium.jwt.optional.really, pomerium.jwt.optional",
        "pomerium.jwt.route.a, pomerium.jwt.route",
        "pomerium.jwt.route[0].a, pomerium.jwt.route",
        "pomerium.jwt.authority-prefix, pomerium.security.authority-prefix",
        "pomerium.security.authorities-prefix, pomerium.security.authority-prefix",
        "pomerium.security.require-group, pomerium.jwt.require-group",
        "pomerium.jwtt.require-group, pomerium.jwt.require-group",
        "pomeriun.jwt.require-group[0], pomerium.jwt.require-group",
        "pomerium-jwt.require-group, pomerium.jwt.require-group",
        "pomerium.secuirty.authority-prefix, pomerium.security.authority-prefix",
    })
    void aMisspeltProperty(String name, String meant) {
        assertRefused(name, meant, () -> checkProperty(name));
    }

    @ParameterizedTest
    @CsvSource({
        "pomerium.jwt.require-group, POMERIUM_JWT_REQUIRE_GROUP",
        "POMERIUMJWT_REQUIREGROUP, POMERIUM_JWT_REQUIRE_GROUP",
        "POMERIUM_JWTT_REQUIRE_GROUP, POMERIUM_JWT_REQUIRE_GROUP",
        "POMERIUM_SECURITY_AUTHORITIES_PREFIX, pomerium.security.authority-prefix",
        "pomerium_security_authorityprefixes, pomerium.security.authority-prefix",
    })
    void aMisspeltVariable(String name, String meant) {
        assertRefused(name, meant, () -> checkVariable(name));
    }

    /** Spring does not read a variable's name in other sources, such as a file .env. */
    @Test
    void aVariableInAFile() {
        ConfigurationException wrong =
                assertThrows(ConfigurationException.class, () -> checkProperty("POMERIUM_JWT_REQUIRE_GROUP"));
        assertTrue(wrong.getMessage().endsWith("Did you mean pomerium.jwt.require-group?"), wrong.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "pomerium.jwt.require-group", "pomerium.jwt.requireGroup", "pomerium.jwt.require_group", "POMERIUM.JWT.REQUIREGROUP",
        "pomerium.jwt.require-group[0]", "pomerium.jwt.expect-claims.department", "pomerium.jwt.expect-claims.a.b[0]",
        "pomerium.jwt.expect-claims[https://a.example.com/b]", "pomerium.security.authority-prefix",
        // an application's own
        "pomerium.route", "pomerium.url", "pomerium.jwt-cookie.name", "pomerium.security-policy", "other.pomerium.jwt.route",
    })
    void whatIsReadOrSomebodyElses(String name) {
        assertDoesNotThrow(() -> checkProperty(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "POMERIUM_JWT_ROUTE", "POMERIUM_JWT_UNKNOWN", "pomerium_jwt_route", // all three are the core's
        "POMERIUM_SECURITY_AUTHORITY_PREFIX", "POMERIUM_SECURITY_AUTHORITYPREFIX", "POMERIUM_ROUTE", "POMERIUM_JWTS", "PATH",
    })
    void whatIsReadOrSomebodyElsesInTheEnvironment(String name) {
        assertDoesNotThrow(() -> checkVariable(name));
    }

    /** Spring Boot can demand a prefix of all variables. The core knows none. */
    @Test
    void aPrefixOfTheApplicationIsNotTheCores() {
        assertRefused("MY_POMERIUM_JWT_REQUIREGROUP", "POMERIUM_JWT_REQUIRE_GROUP", () -> start("MY_POMERIUM_JWT_REQUIREGROUP"));
        assertRefused("MY_POMERIUM_SECURITY_PREFIX", "pomerium.security.authority-prefix", () -> start("MY_POMERIUM_SECURITY_PREFIX"));
        Stream.of("MY_POMERIUM_SECURITY_AUTHORITYPREFIX", "POMERIUM_JWT_ROUTE", "MY_ROUTE")
                .forEach(name -> assertDoesNotThrow(() -> start(name), name));
    }

    /** With Spring Boot's own kind of source. */
    private static void start(String variable) {
        SpringApplication application = new SpringApplication(Object.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        application.setEnvironmentPrefix("my");
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources().replace(
                ENVIRONMENT, new SystemEnvironmentPropertySource(ENVIRONMENT, Map.of(variable, "secret")));
        application.setEnvironment(environment);
        application.setBannerMode(Banner.Mode.OFF);
        application.addInitializers(context -> PropertyNames.check(context.getEnvironment()));
        application.run().close();
    }
}
