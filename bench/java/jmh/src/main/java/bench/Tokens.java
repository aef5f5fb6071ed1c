package bench;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One token verified, with subject, e-mail and groups read; 2,000 distinct tokens under one key take turns. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class Tokens {
    private static final int NUMBER = 2000;
    private static final Instant YEAR_2100 = Instant.parse("2100-01-01T00:00:00Z");

    @Param({"pomerium-jwt", "nimbus-jose-jwt", "java-jwt", "jjwt"})
    public String library;

    /** Who does the cryptography for the others: the JDK, or Amazon's provider. */
    @Param({"jdk", "corretto"})
    public String provider;

    private final String[] tokens = new String[NUMBER];
    private Libraries.Library verifier;
    private int next;

    @Setup
    public void prepare() throws Exception {
        PomeriumTestIssuer issuer = new PomeriumTestIssuer();
        if (provider.equals("corretto")) {
            AmazonCorrettoCryptoProvider.install();
            AmazonCorrettoCryptoProvider.INSTANCE.assertHealthy();
        }
        verifier = Libraries.of(library, issuer);
        check(issuer);
        for (int number = 0; number < NUMBER; number++) {
            tokens[number] = issuer.token(Map.of(
                    "sub", "google-oauth2|%09d".formatted(number),
                    "email", "alice@example.com",
                    "name", "Alice Example",
                    "groups", List.of("admins", "staff"),
                    "sid", "7f2b7e0c-3f0d-4d2c-9e0e-0d5a3c1b9a11",
                    "exp", YEAR_2100));
        }
    }

    @Benchmark
    public Object verify() throws Exception {
        next = next + 1 == NUMBER ? 0 : next + 1;
        return verifier.verify(tokens[next]);
    }

    /** A library that lets something pass is not compared: it does not do the same work. */
    private void check(PomeriumTestIssuer issuer) throws Exception {
        Libraries.User user = verifier.verify(issuer.token(Map.of("groups", List.of("admins", "staff"))));
        if (!user.equals(new Libraries.User("alice", "alice@example.com", List.of("admins", "staff")))) {
            throw new IllegalStateException(library + " gives " + user);
        }
        for (Map.Entry<String, String> wrong : wrong(issuer).entrySet()) {
            boolean accepted = true;
            try {
                verifier.verify(wrong.getValue());
            } catch (Exception refused) {
                accepted = false;
            }
            if (accepted) {
                throw new IllegalStateException(library + " accepts a wrong token: " + wrong.getKey());
            }
        }
    }

    private static Map<String, String> wrong(PomeriumTestIssuer issuer) {
        String good = issuer.token();
        int signature = good.lastIndexOf('.') + 5;
        Map<String, String> wrong = new LinkedHashMap<>();
        wrong.put("expired", issuer.expired());
        wrong.put("without exp", issuer.token(Map.of("exp", PomeriumTestIssuer.ABSENT)));
        wrong.put("wrong audience", issuer.wrongAudience());
        wrong.put("without audience", issuer.token(Map.of("aud", PomeriumTestIssuer.ABSENT)));
        wrong.put("wrong issuer", issuer.token(Map.of("iss", "other.example.com")));
        wrong.put("without issuer", issuer.token(Map.of("iss", PomeriumTestIssuer.ABSENT)));
        wrong.put("not yet valid", issuer.token(Map.of("nbf", Instant.now().plusSeconds(1000))));
        wrong.put("another key", new PomeriumTestIssuer().token());
        wrong.put("altered", good.substring(0, signature) + (good.charAt(signature) == 'A' ? 'B' : 'A') + good.substring(signature + 1));
        return wrong;
    }
}
