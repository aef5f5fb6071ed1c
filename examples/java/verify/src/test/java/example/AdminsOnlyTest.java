package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.VerifyException;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AdminsOnlyTest {
    private final PomeriumTestIssuer issuer = new PomeriumTestIssuer(); // with a key of its own

    @Test
    void adminsOnly() {
        try (Verifier verifier = Verifier.of(issuer.options().requireGroup("admins").build())) {
            String admin = issuer.token(Map.of("groups", List.of("admins")));
            assertEquals("alice@example.com", verifier.verify(admin).email());
            String staff = issuer.token(Map.of("groups", List.of("staff")));
            assertEquals(403, assertThrows(VerifyException.class, () -> verifier.verify(staff)).status());
            assertEquals(401, assertThrows(VerifyException.class, () -> verifier.verify(issuer.expired())).status());
        }
    }
}
