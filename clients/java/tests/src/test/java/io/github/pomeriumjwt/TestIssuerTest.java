package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TestIssuerTest {
    private final PomeriumTestIssuer issuer = new PomeriumTestIssuer("other.example.com");

    private Identity identity(Map<String, ?> claims) {
        try (Verifier verifier = Verifier.of(issuer.options().allowAnonymous(true).build())) {
            return verifier.verify(issuer.token(claims));
        }
    }

    /** The names of a token's header and payload, in their order. */
    private static List<String> shape(String token) {
        StringBuilder names = new StringBuilder();
        for (String part : List.of(token.split("\\.")[0], token.split("\\.")[1])) {
            JsonNode object = Cases.read(new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8));
            object.properties().forEach(member -> names.append(member.getKey()).append(':').append(member.getValue().getNodeType()).append(' '));
        }
        return List.of(names.toString().split(" "));
    }

    @Test
    void tokensHaveTheFormOfPomeriums() {
        try (RunningIssuer real = new RunningIssuer()) {
            assertEquals(shape(real.mint()), shape(issuer.token()));
        }
        for (int round = 0; round < 300; round++) { // coordinates with leading zeros
            PomeriumTestIssuer another = new PomeriumTestIssuer();
            try (Verifier verifier = another.verifier()) {
                Status.Key key = verifier.status().keys().get(0);
                assertEquals(key.kid(), key.thumbprint());
            }
        }
    }

    @Test
    void claimsFollowTheSubject() {
        Identity alice = identity(Map.of());
        assertEquals(List.of("alice", "alice@example.com", "Alice", "other.example.com"),
                List.of(alice.subject(), alice.email(), alice.name(), alice.issuer()));
        Identity bob = identity(Map.of("sub", "bob", "groups", List.of("staff"), "department", "R&D"));
        assertEquals("bob@example.com Bob [staff] R&D", bob.email() + " " + bob.name() + " " + bob.groups() + " " + bob.claims().get("department"));
        Identity nobody = identity(Map.of("sub", ""));
        assertEquals(Arrays.asList(true, null, null), Arrays.asList(nobody.anonymous(), nobody.email(), nobody.name()));
        assertNotEquals(alice.tokenId(), identity(Map.of()).tokenId());
    }

    @Test
    void anyClaimCanBeGiven() {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("text", "\"\\\n\u00fc\ud83d\ude00");
        claims.put("nothing", null);
        claims.put("list", List.of(1, true, Map.of("deep", List.of())));
        claims.put("exp", Instant.parse("2100-01-01T00:00:00Z"));
        claims.put("name", PomeriumTestIssuer.ABSENT);
        Identity identity = identity(claims);
        assertEquals("\"\\\n\u00fc\ud83d\ude00", identity.claims().get("text"));
        assertEquals(Cases.plain(claims.get("list")), Cases.plain(identity.claims().get("list")));
        assertEquals(Instant.parse("2100-01-01T00:00:00Z"), identity.expiresAt());
        assertFalse(identity.claims().containsKey("name"));
        assertThrows(IllegalArgumentException.class, () -> issuer.token(Map.of("what", new Object())));
    }

    @Test
    void tokensThatAreRefused() {
        try (Verifier verifier = issuer.verifier()) {
            assertEquals(ErrorCode.TOKEN_EXPIRED, VerifierTest.codeOf(() -> verifier.verify(issuer.expired())));
            assertEquals(ErrorCode.AUDIENCE_MISMATCH, VerifierTest.codeOf(() -> verifier.verify(issuer.wrongAudience())));
            String foreign = new PomeriumTestIssuer("other.example.com").token();
            assertEquals(ErrorCode.KEY_NOT_FOUND, VerifierTest.codeOf(() -> verifier.verify(foreign)));
            String broken = issuer.token(Map.of("note", "\ud800"));
            assertEquals(ErrorCode.CLAIMS_MALFORMED, VerifierTest.codeOf(() -> verifier.verify(broken)));
        }
    }
}
