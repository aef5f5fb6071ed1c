package application;

import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.util.function.Supplier;

/** An application, with nothing but what is public. It keeps its verifier where applications keep things. */
public final class Application implements Supplier<String>, AutoCloseable {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();
    private static final Verifier VERIFIER = ISSUER.verifier();

    public static void main(String[] arguments) {
        System.out.println(new Application().get());
    }

    /** Who sent a token. */
    @Override
    public String get() {
        Identity identity = VERIFIER.verify(ISSUER.token());
        return identity.subject();
    }

    @Override
    public void close() {
        VERIFIER.close();
    }
}
