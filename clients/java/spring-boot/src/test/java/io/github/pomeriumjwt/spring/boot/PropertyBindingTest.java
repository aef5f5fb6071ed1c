package io.github.pomeriumjwt.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.pomeriumjwt.ErrorCode;
import io.github.pomeriumjwt.VerifyException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** From properties to options: strictly, in Spring's ways of writing them. */
class PropertyBindingTest {
    private static String bound(String... namesAndValues) {
        Map<String, Object> properties = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            properties.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources().addFirst(new MapPropertySource("test", properties));
        return PropertyBinding.options(environment).toJson();
    }

    @Test
    void everyKindOfOption() {
        assertEquals("{}", bound());
        assertEquals("{\"route\":[\"https://a.example.com\"]}", bound("pomerium.jwt.route", "https://a.example.com"));
        assertEquals("{\"issuer\":[\"a\",\"b\"]}", bound("pomerium.jwt.issuer", "a,b"));
        assertEquals("{\"require_group\":[\"a,b\"]}", bound("pomerium.jwt.require-group[0]", "a,b"));
        assertEquals("{\"jwks_url\":\"https://a/b\"}", bound("pomerium.jwt.jwksUrl", "https://a/b"));
        assertEquals("{\"jwks_url\":\"https://a/b\"}", bound("pomerium.jwt.jwks_url", "https://a/b"));
        assertEquals("{\"jwks\":{\"keys\":[]}}", bound("pomerium.jwt.jwks", "{\"keys\":[]}"));
        assertEquals("{\"jwks_file\":\"/a/b\"}", bound("pomerium.jwt.jwks-file", "/a/b"));
        assertEquals("{\"optional\":true}", bound("pomerium.jwt.optional", "true"));
        assertEquals("{\"max_token_bytes\":2048}", bound("pomerium.jwt.max-token-bytes", "2048"));
        assertEquals(
                "{\"expect_claims\":{\"department\":[\"it\",\"hr\"]}}", bound("pomerium.jwt.expect-claims.department", "it,hr"));
    }

    @Test
    void aNumberWithoutAUnitIsSeconds() {
        assertEquals("{\"leeway\":30}", bound("pomerium.jwt.leeway", "30"));
        assertEquals("{\"leeway\":120}", bound("pomerium.jwt.leeway", "2m"));
        VerifyException wrong = assertThrows(VerifyException.class, () -> bound("pomerium.jwt.leeway", "1500ms"));
        assertEquals(ErrorCode.INVALID_OPTIONS, wrong.code());
    }

    @Test
    void emptyIsNotSet() {
        assertEquals("{}", bound("pomerium.jwt.route", "", "pomerium.jwt.leeway", "", "pomerium.jwt.jwks-url", ""));
        assertEquals("{}", bound("pomerium.jwt.optional", "", "pomerium.jwt.max-token-bytes", ""));
    }

    @Test
    void placeholdersAreFilledIn() {
        assertEquals(
                "{\"header_name\":\"X-Mine\"}", bound("pomerium.jwt.header-name", "X-${mine}", "mine", "Mine"));
    }

    @Test
    void theSystemEnvironmentIsTheCores() {
        StandardEnvironment environment = new StandardEnvironment();
        Map<String, Object> variables = Map.of("POMERIUM_JWT_OPTIONAL", "true", "POMERIUM_JWT_TYPO", "true");
        environment.getPropertySources().addFirst(new SystemEnvironmentPropertySource("another", variables));
        assertEquals("{}", PropertyBinding.options(environment).toJson());
    }
}
