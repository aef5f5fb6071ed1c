package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** In JVMs whose own memory does not change: a fixed heap, and little compiled code. */
class LimitsTest {
    private static final int MEGABYTE = 1 << 20;

    private static long grown(String... program) throws Exception {
        String printed = new ChildJvm()
                .argument("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .run(program);
        return Long.parseLong(printed.strip());
    }

    @Test
    void memoryStaysFlat() throws Exception {
        int rounds = Optional.ofNullable(System.getenv("SOAK_ROUNDS")).map(Integer::valueOf).orElse(100_000);
        long grown = grown("rounds", Integer.toString(rounds));
        // A leak of 64 bytes a round is 6.4 MB
        assertTrue(grown < 4 * MEGABYTE, () -> rounds + " rounds grew the process by " + grown + " bytes");
    }

    /** Each has a table of 100 kB and more for its key. */
    @ParameterizedTest
    @ValueSource(strings = {"closed", "forgotten"})
    void verifiersAreFreed(String how) throws Exception {
        long grown = grown("verifiers", "1000", how);
        assertTrue(grown < 64 * MEGABYTE, () -> "1000 verifiers grew the process by " + grown + " bytes");
    }
}
