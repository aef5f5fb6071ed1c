package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class VerifierTest {
    private static final Instant YEAR_2100 = Instant.parse("2100-01-01T00:00:00Z");

    private final PomeriumTestIssuer issuer = new PomeriumTestIssuer();
    private final Verifier verifier = issuer.verifier();

    @AfterEach
    void close() {
        verifier.close();
    }

    static ErrorCode codeOf(Executable call) {
        return assertThrows(VerifyException.class, call).code();
    }

    @Test
    void theClockIsTheSystems() {
        verifier.verify(issuer.token(Map.of("exp", YEAR_2100)));
        String old = issuer.token(Map.of("iat", 0, "exp", 100));
        assertEquals(ErrorCode.TOKEN_EXPIRED, codeOf(() -> verifier.verify(old)));
        assertEquals("alice", verifier.verifyAt(old, Instant.ofEpochSecond(99)).subject());
    }

    @Test
    void hostileTokens() {
        String good = issuer.token();
        Map<String, ErrorCode> rows = new LinkedHashMap<>();
        rows.put("", ErrorCode.TOKEN_MISSING);
        rows.put("a\0b", ErrorCode.TOKEN_MALFORMED);
        rows.put(good.substring(0, 9) + "\0" + good.substring(10), ErrorCode.TOKEN_MALFORMED);
        rows.put("\ud800", ErrorCode.TOKEN_MALFORMED);
        rows.put("ü".repeat(65_536), ErrorCode.TOKEN_MALFORMED);
        rows.put("ü".repeat(65_536) + "x", ErrorCode.TOKEN_TOO_LARGE);
        rows.put("x".repeat(10_000_000), ErrorCode.TOKEN_TOO_LARGE);
        rows.put(good + "," + good, ErrorCode.TOKEN_REPEATED);
        rows.put(good.substring(0, good.length() - 6) + "AAAAAA", ErrorCode.SIGNATURE_INVALID);
        rows.put(good.substring(0, good.length() - 1), ErrorCode.TOKEN_MALFORMED);
        rows.put(issuer.expired(), ErrorCode.TOKEN_EXPIRED);
        rows.put(issuer.wrongAudience(), ErrorCode.AUDIENCE_MISMATCH);
        rows.forEach((token, code) -> {
            VerifyException refusal = assertThrows(VerifyException.class, () -> verifier.verify(token));
            assertEquals(code, refusal.code(), refusal.getMessage());
            assertEquals(401, refusal.status());
            assertEquals(Optional.empty(), refusal.retryAfter());
            assertEquals("{\"error\":\"" + code + "\"}", refusal.body());
            assertEquals("Bearer error=\"invalid_token\"", refusal.headers().get("WWW-Authenticate"));
            assertEquals(0, refusal.getStackTrace().length, "clients choose how many refusals there are");
            assertEquals(code, codeOf(() -> verifier.admit(new Request(token, "/"))));
        });
        assertEquals(ErrorCode.TOKEN_MISSING, codeOf(() -> verifier.verify(null)));
        assertEquals(ErrorCode.TOKEN_MISSING, codeOf(() -> verifier.admit(new Request(null, "/"))));
        // As deep as the core goes, which is as deep as the own reader goes
        Object deep = List.of();
        for (int depth = 3; depth <= 64; depth++) {
            deep = List.of(deep);
        }
        assertEquals(Cases.plain(deep), Cases.plain(verifier.verify(issuer.token(Map.of("deep", deep))).claims().get("deep")));
        Object tooDeep = List.of(deep);
        assertEquals(ErrorCode.CLAIMS_MALFORMED, codeOf(() -> verifier.verify(issuer.token(Map.of("deep", tooDeep)))));
    }

    @Test
    void identity() {
        String token = issuer.token(Map.of(
                "groups", List.of("admins", "staff"), "exp", YEAR_2100, "department", "R&D \u00fc\ud83d\ude00", "level", 7));
        Identity identity = verifier.verify(token);
        assertEquals("alice", identity.subject());
        assertEquals("alice@example.com", identity.email());
        assertEquals("Alice", identity.name());
        assertEquals(List.of("admins", "staff"), identity.groups());
        assertNull(identity.sessionId());
        assertEquals(YEAR_2100, identity.expiresAt());
        assertTrue(identity.isUser());
        assertFalse(identity.anonymous());
        assertEquals("R&D \u00fc\ud83d\ude00", identity.claims().get("department"));
        assertEquals(7L, identity.claims().get("level"));
        assertTrue(identity.inGroup("staff"));
        assertFalse(identity.inGroup("dev"));
        assertTrue(identity.inAnyGroup("dev", "staff"));
        assertFalse(identity.inAnyGroup("dev"));
        assertFalse(identity.inAnyGroup());
        assertTrue(identity.inAllGroups("admins", "staff"));
        assertFalse(identity.inAllGroups("admins", "dev"));
        for (Executable change : List.<Executable>of(
                () -> identity.groups().add("root"),
                () -> identity.audience().clear(),
                () -> identity.claims().put("sub", "bob"),
                () -> identity.toMap().put("subject", "bob"))) {
            assertThrows(UnsupportedOperationException.class, change);
        }
        assertEquals(identity, verifier.verify(token));
        assertFalse(identity.equals(verifier.verify(issuer.token())));
        assertNull(verifier.verify(issuer.token(Map.of("iat", PomeriumTestIssuer.ABSENT))).issuedAt());
    }

    @Test
    void aSessionCanKeepAnIdentity() throws IOException, ClassNotFoundException {
        Identity identity = verifier.verify(issuer.token(Map.of("groups", List.of("admins"))));
        identity.claims();
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        new ObjectOutputStream(written).writeObject(identity);
        Object read = new ObjectInputStream(new ByteArrayInputStream(written.toByteArray())).readObject();
        assertEquals(identity, read);
        assertEquals(identity.claims(), ((Identity) read).claims());
    }

    @Test
    void printingShowsNoPersonalData() {
        String token = issuer.token(Map.of("groups", List.of("secret-group")));
        Admission admission = verifier.admit(new Request(token, "/"));
        String printed = admission.identity().orElseThrow() + " " + admission + " " + new Request(token, "/");
        for (String personal : List.of("alice", "Alice", "secret-group", token)) {
            assertFalse(printed.contains(personal), printed);
        }
        assertTrue(printed.contains("issuer=app.example.com"), printed);
    }

    @Test
    void afterClose() {
        verifier.close();
        verifier.close();
        for (Executable call : List.<Executable>of(
                () -> verifier.verify(issuer.token()),
                () -> verifier.verifyAt(issuer.token(), Instant.now()),
                () -> verifier.admit(new Request("", "/")),
                () -> verifier.with(RequestOptions.builder().build()),
                verifier::refresh,
                verifier::forceRefresh,
                verifier::status,
                verifier::metrics)) {
            VerifyException refusal = assertThrows(VerifyException.class, call);
            assertEquals("invalid_argument: the verifier is closed", refusal.getMessage());
            assertEquals(500, refusal.status());
        }
        assertEquals(new Health(false, false, false, false), verifier.health());
        assertFalse(verifier.health().ready());
    }

    @Test
    void closeWhileOthersVerify() throws Exception {
        String token = issuer.token();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        for (int round = 0; round < 20; round++) {
            Verifier shared = issuer.verifier();
            CyclicBarrier begun = new CyclicBarrier(5);
            List<Future<ErrorCode>> ends = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                ends.add(threads.submit(() -> {
                    shared.verify(token);
                    begun.await();
                    while (true) {
                        try {
                            shared.verify(token);
                        } catch (VerifyException closed) {
                            return closed.code();
                        }
                    }
                }));
            }
            begun.await();
            shared.close();
            for (Future<ErrorCode> end : ends) {
                assertEquals(ErrorCode.INVALID_ARGUMENT, end.get());
            }
        }
        threads.shutdown();
    }

    @Test
    void sixteenThreadsShareOneVerifier() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(16);
        CyclicBarrier start = new CyclicBarrier(16);
        List<Future<Void>> ends = new ArrayList<>();
        for (int number = 0; number < 16; number++) {
            String subject = "user-" + number;
            String token = issuer.token(Map.of("sub", subject));
            ends.add(threads.submit(() -> {
                start.await();
                for (int round = 0; round < 100; round++) {
                    assertEquals(subject, verifier.verify(token).subject());
                    assertThrows(VerifyException.class, () -> verifier.verify(token + "A"));
                }
                return null;
            }));
        }
        for (Future<Void> end : ends) {
            end.get();
        }
        threads.shutdown();
        Map<String, Long> counts = verifier.status().counts();
        assertEquals(1600, counts.get("ok"));
        assertEquals(3200, counts.values().stream().mapToLong(Long::longValue).sum());
    }

    @Test
    void keysUnavailableSaysWhenToComeAgain() {
        // The discard port: nobody listens
        try (Verifier unlucky = Verifier.forRoute("http://127.0.0.1:9")) {
            for (int round = 0; round < 2; round++) {
                VerifyException refusal = assertThrows(VerifyException.class, () -> unlucky.verify(issuer.token()));
                assertEquals(ErrorCode.KEYS_UNAVAILABLE, refusal.code());
                assertEquals(503, refusal.status());
                Duration wait = refusal.retryAfter().orElseThrow();
                assertTrue(wait.compareTo(Duration.ofSeconds(1)) >= 0, wait::toString);
                assertEquals(Long.toString(wait.toSeconds()), refusal.headers().get("Retry-After"));
            }
            VerifyException admission =
                    assertThrows(VerifyException.class, () -> unlucky.admit(new Request(issuer.token(), "/")));
            assertTrue(admission.retryAfter().isPresent() && admission.headers().containsKey("Retry-After"));
            assertEquals(new Health(true, true, false, false), unlucky.health());
            assertFalse(unlucky.health().ready());
            assertEquals(ErrorCode.KEYS_UNAVAILABLE, codeOf(unlucky::forceRefresh));
        }
    }

    @Test
    void statusHealthAndMetrics() {
        verifier.verify(issuer.token());
        Status status = verifier.status();
        assertEquals("jwks", status.source());
        assertEquals(Status.State.STATIC, status.state());
        assertTrue(status.keys().get(0).usable());
        assertEquals(new Health(true, true, true, false), verifier.health());
        assertTrue(verifier.health().ready());
        String metrics = verifier.metrics();
        assertTrue(metrics.contains("\npomerium_jwt_verifications_total{code=\"ok\"} 1\n"), metrics);
        assertTrue(metrics.endsWith("# EOF\n"));
    }

    @Test
    void withHasOtherRequestOptionsOverTheSameKeys() {
        Verifier base = Verifier.of(issuer.options().optional(true).build());
        Verifier strict = base.with(RequestOptions.builder()
                .optional(false)
                .requireGroup("admins, all", "root")
                .headerName("X-Other")
                .build());
        assertEquals(Optional.empty(), base.admit(new Request("", "/")).identity());
        assertEquals(ErrorCode.TOKEN_MISSING, codeOf(() -> strict.admit(new Request("", "/"))));
        base.close(); // in any order
        assertEquals(ErrorCode.GROUP_REQUIRED, codeOf(() -> strict.admit(new Request(issuer.token(), "/"))));
        String admin = issuer.token(Map.of("groups", List.of("admins, all")));
        assertEquals("alice", strict.admit(new Request(admin, "/")).requireUser().subject());
        assertEquals("X-Other", strict.headerName());
        assertTrue(strict.summary().contains("admins, all"), strict.summary());
        assertEquals(List.of("admins, all", "root"), strict.status().requireGroup());
        assertEquals(1, strict.status().counts().get("passed"));
        assertEquals(1, strict.status().counts().get("token_missing"));
        RequestOptions wrong = RequestOptions.builder().exemptPaths("/*").build();
        assertEquals(ErrorCode.INVALID_OPTIONS, codeOf(() -> strict.with(wrong)));
        strict.close();
    }

    @Test
    void whatARouteDemands() {
        Admission nobody = Admission.PASSED;
        assertEquals(ErrorCode.TOKEN_MISSING, codeOf(nobody::requireUser));
        assertEquals(ErrorCode.INVALID_ARGUMENT, codeOf(nobody::requireGroup));
        Admission alice = verifier.admit(new Request(issuer.token(Map.of("groups", List.of("a,b"))), "/"));
        assertEquals("alice", alice.requireGroup("c", "a,b").subject());
        VerifyException refusal = assertThrows(VerifyException.class, () -> alice.requireGroup("a", "b"));
        assertEquals(403, refusal.status());
        assertEquals(Map.of("Content-Type", "application/json", "Cache-Control", "no-store"), refusal.headers());
    }

    @Test
    void wrongOptionsAreRefusedInASentence() {
        assertEquals(ErrorCode.INVALID_OPTIONS, codeOf(() -> Verifier.of(Options.builder().build())));
        assertEquals(ErrorCode.INVALID_OPTIONS, codeOf(() -> Verifier.of(Options.fromJson("{\"route\":"))));
        assertEquals(ErrorCode.INVALID_OPTIONS, codeOf(() -> Verifier.of(issuer.options().requireGroup(List.of()).build())));
        VerifyException fraction = assertThrows(
                VerifyException.class, () -> Options.builder().leeway(Duration.ofMillis(1500)));
        assertEquals("invalid_options: leeway: takes whole seconds, not PT1.5S", fraction.getMessage());
        // Nothing ends the document and begins another option
        assertEquals(ErrorCode.INVALID_OPTIONS, codeOf(() -> Options.builder().jwks("{},\"optional\":true")));
        assertEquals(ErrorCode.INVALID_OPTIONS, codeOf(() -> Options.builder().route("https://\ud800")));
        assertThrows(NullPointerException.class, () -> Options.builder().route((String) null));
        assertThrows(NullPointerException.class, () -> Options.builder().leeway(null));
    }

    @Test
    void logoutUrl() {
        assertEquals("/.pomerium/sign_out", Verifier.logoutUrl(null));
        assertEquals("/.pomerium/sign_out", Verifier.logoutUrl(""));
        assertEquals(
                "/.pomerium/sign_out?pomerium_redirect_uri="
                        + "https%3A%2F%2Fapp.example.com%2Fa%20b%3Fx%3D1%2B2%26y%3D%C3%BC%23top",
                Verifier.logoutUrl("https://app.example.com/a b?x=1+2&y=\u00fc#top"));
    }
}
