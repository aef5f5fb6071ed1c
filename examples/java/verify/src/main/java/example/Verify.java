package example;

import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.VerifyException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * Reads a token from standard input and says who is calling. The environment says what to check:
 * {@code POMERIUM_JWT_ROUTE=https://app.example.com java -jar target/verify-1.jar < token}.
 */
public final class Verify {
    private Verify() {}

    public static void main(String[] arguments) throws IOException {
        String token = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).stripTrailing();
        try (Verifier verifier = Verifier.fromEnv()) {
            Identity identity = verifier.verify(token);
            System.out.println(identity.subject() + " " + Objects.requireNonNullElse(identity.email(), "-"));
        } catch (VerifyException refusal) {
            System.err.println(refusal.getMessage());
            System.exit(switch (refusal.kind()) {
                case TOKEN, ACCESS -> 1;
                case OPTIONS -> 2;
                case KEYS -> 3;
                case INTERNAL -> 70;
            });
        }
    }
}
