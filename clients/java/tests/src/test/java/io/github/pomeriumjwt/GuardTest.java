package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class GuardTest {
    private static final VerifyException MISSING = new VerifyException(ErrorCode.TOKEN_MISSING, "there is no token");
    private static final VerifyException EXPIRED = new VerifyException(ErrorCode.TOKEN_EXPIRED, "too late");

    private final PomeriumTestIssuer issuer = new PomeriumTestIssuer();

    /** What System.Logger writes where nothing else is configured. */
    private static final class Collected extends Handler {
        final List<String> lines = new CopyOnWriteArrayList<>();

        @Override
        public void publish(LogRecord line) {
            lines.add(line.getLevel() + " " + line.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    @Test
    void logsWhatIsAcceptedAndRefused() {
        Logger logger = Logger.getLogger("io.github.pomeriumjwt");
        Collected collected = new Collected();
        logger.setUseParentHandlers(false);
        logger.addHandler(collected);
        try (Verifier verifier = issuer.verifier()) {
            Guard guard = new Guard(verifier, null);
            assertEquals("X-Pomerium-Jwt-Assertion", guard.headerName());
            assertEquals("alice", guard.admit(new Request(issuer.token(), "/"), "/").requireUser().subject());
            assertThrows(VerifyException.class, () -> guard.admit(new Request("", "/"), "/shown"));
            assertEquals(
                    List.of(
                            "INFO pomerium-jwt: " + verifier.summary(),
                            "WARNING pomerium-jwt: refused \"/shown\": token_missing: " + reason(verifier)),
                    collected.lines);
        } finally {
            logger.removeHandler(collected);
            logger.setUseParentHandlers(true);
        }
    }

    private static String reason(Verifier verifier) {
        return assertThrows(VerifyException.class, () -> verifier.verify("")).reason();
    }

    @Test
    void tellsTheHookInstead() {
        List<String> told = new ArrayList<>();
        try (Verifier verifier = issuer.verifier()) {
            Guard guard = new Guard(verifier, (refusal, path) -> told.add(refusal.code() + " " + path));
            VerifyException refusal = assertThrows(VerifyException.class, () -> guard.admit(new Request("", "/"), "/a"));
            guard.refused(refusal, "/b");
            assertSame(verifier, guard.verifier());
        }
        assertEquals(List.of("token_missing /a", "token_missing /b"), told);
    }

    @Test
    @Timeout(50)
    void atMostOneLineASecondForACode() throws Exception {
        List<String> lines = new CopyOnWriteArrayList<>();
        RefusalLog log = new RefusalLog(lines::add);
        long start = System.nanoTime();
        int reported = 0;
        while (System.nanoTime() - start < 2_500_000_000L) {
            log.refused(MISSING, "/" + reported++);
            Thread.sleep(1);
        }
        log.refused(EXPIRED, "/other");
        assertEquals("pomerium-jwt: refused \"/0\": token_missing: there is no token", lines.get(0));
        WaitingTest.until(() -> counted(lines) > 1);
        int all = reported;
        WaitingTest.until(() -> counted(lines) == all);
        assertEquals(4, lines.stream().filter(line -> line.contains("token_missing")).count(), lines::toString);
        assertTrue(lines.contains("pomerium-jwt: refused \"/other\": token_expired: too late"), lines::toString);
        assertTrue(lines.stream().anyMatch(line -> line.endsWith("the last one \"/" + (all - 1) + "\": token_missing: there is no token")));
    }

    /** How many refusals the lines about missing tokens speak of. */
    private static int counted(List<String> lines) {
        return lines.stream()
                .filter(line -> line.contains("token_missing"))
                .mapToInt(line -> line.contains(" more ") ? Integer.parseInt(line.replaceAll("\\D*(\\d+) more.*", "$1")) : 1)
                .sum();
    }

    @Test
    void aPathWritesNoLineOfItsOwn() {
        List<String> lines = new ArrayList<>();
        RefusalLog log = new RefusalLog(lines::add);
        log.refused(MISSING, "/\"\\\n\u001b\u00fc" + "x".repeat(500));
        assertEquals(
                List.of("pomerium-jwt: refused \"/\\\"\\\\\\u000a\\u001b\\u00fc" + "x".repeat(194)
                        + "...\": token_missing: there is no token"),
                lines);
    }
}
