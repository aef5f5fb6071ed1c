package io.github.pomeriumjwt.test;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A key that signs as Pomerium does, under the kid that Pomerium would give it. */
final class TestKey {
    /** The bytes of a coordinate on P-256. */
    private static final int COORDINATE = 32;

    private final PrivateKey secret;
    private final Map<String, String> jwk;
    private final String kid;

    TestKey() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair pair = generator.generateKeyPair();
            secret = pair.getPrivate();
            jwk = jwk((ECPublicKey) pair.getPublic());
            kid = thumbprint(jwk);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible); // every JVM has P-256 and SHA-256
        }
    }

    /** The members that a thumbprint takes (RFC 7638), in its order. */
    private static Map<String, String> jwk(ECPublicKey key) {
        return new TreeMap<>(Map.of(
                "crv", "P-256",
                "kty", "EC",
                "x", encoded(coordinate(key.getW().getAffineX())),
                "y", encoded(coordinate(key.getW().getAffineY()))));
    }

    private static byte[] coordinate(BigInteger value) {
        byte[] written = value.toByteArray(); // may be shorter, or have a leading 0 for the sign
        byte[] bytes = new byte[COORDINATE];
        int length = Math.min(written.length, COORDINATE);
        System.arraycopy(written, written.length - length, bytes, COORDINATE - length, length);
        return bytes;
    }

    private static String thumbprint(Map<String, String> jwk) throws GeneralSecurityException {
        byte[] text = JsonText.of(jwk).getBytes(StandardCharsets.UTF_8);
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
    }

    /** The JWK Set as Pomerium serves it. */
    String set() {
        Map<String, String> published = new TreeMap<>(jwk);
        published.putAll(Map.of("alg", "ES256", "kid", kid, "use", "sig"));
        return JsonText.of(Map.of("keys", List.of(published)));
    }

    /** The token in compact serialization. */
    String sign(Map<String, @Nullable Object> payload) {
        String header = JsonText.of(new TreeMap<>(Map.of("alg", "ES256", "kid", kid, "typ", "JWT")));
        String signed = encoded(header.getBytes(StandardCharsets.UTF_8)) + "."
                + encoded(JsonText.of(payload).getBytes(StandardCharsets.UTF_8));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
            signature.initSign(secret);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + encoded(signature.sign());
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String encoded(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
