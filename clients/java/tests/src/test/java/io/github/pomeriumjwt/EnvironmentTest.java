package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Java cannot change its own environment. */
class EnvironmentTest {
    private static final String ROUTE = "POMERIUM_JWT_ROUTE";

    private static void prints(String expected, String printed) {
        assertTrue(printed.contains(expected), () -> "expected " + expected + ", got " + printed);
    }

    @Test
    void theEnvironmentHasTheOptions() throws Exception {
        String printed = new ChildJvm()
                .environment(ROUTE, "https://app.example.com")
                .environment("POMERIUM_JWT_REQUIRE_GROUP", "admins,staff")
                .run("environment");
        prints("accepts issuer and audience app.example.com", printed);
        prints("require_group: \"admins\", \"staff\"", printed);
        prints("warning: none", printed);
    }

    @Test
    void codeWinsAndTheVariableIsNamed() throws Exception {
        String printed = new ChildJvm()
                .environment(ROUTE, "https://app.example.com")
                .environment("POMERIUM_JWT_REQUIRE_GROUP", "admins")
                .run("over");
        prints("require_group: \"staff\"", printed);
        prints("POMERIUM_JWT_REQUIRE_GROUP", printed.substring(printed.indexOf("warning: ")));
    }

    @Test
    void aMisspeltVariableIsRefused() throws Exception {
        String printed = new ChildJvm()
                .environment(ROUTE, "https://app.example.com")
                .environment("POMERIUM_JWT_REQUIRE_GROUPS", "secret")
                .run("environment");
        prints("invalid_options: ", printed);
        prints("POMERIUM_JWT_REQUIRE_GROUPS", printed);
        assertTrue(!printed.contains("secret"), printed);
    }
}
