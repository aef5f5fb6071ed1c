package bench;

import com.auth0.jwt.JWT;
import com.auth0.jwt.JWTVerifier;
import com.auth0.jwt.algorithms.Algorithm;
import com.auth0.jwt.interfaces.DecodedJWT;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import io.jsonwebtoken.Claims;
import io.jsonwebtoken.JwtParser;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.MissingClaimException;
import java.security.interfaces.ECPublicKey;
import java.util.List;
import java.util.Set;

/** Each library with its key ready, as it would be in an application, and the same checks: alg, signature, exp, nbf, iss, aud. */
final class Libraries {
    /** What an application reads of a token. */
    record User(String subject, String email, List<String> groups) {}

    /** Verifies one token. */
    interface Library {
        User verify(String token) throws Exception;
    }

    private Libraries() {}

    static Library of(String name, PomeriumTestIssuer issuer) throws Exception {
        return switch (name) {
            case "pomerium-jwt" -> ours(issuer);
            case "nimbus-jose-jwt" -> nimbus(issuer);
            case "java-jwt" -> auth0(issuer);
            case "jjwt" -> jjwt(issuer);
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static Library ours(PomeriumTestIssuer issuer) {
        Verifier verifier = issuer.verifier();
        return token -> {
            Identity identity = verifier.verify(token);
            return new User(identity.subject(), identity.email(), identity.groups());
        };
    }

    private static Library nimbus(PomeriumTestIssuer issuer) throws Exception {
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(
                JWSAlgorithm.ES256, new ImmutableJWKSet<>(JWKSet.parse(issuer.keySet()))));
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(
                Set.of(issuer.host()), new JWTClaimsSet.Builder().issuer(issuer.host()).build(), Set.of("exp"), Set.of()));
        return token -> {
            JWTClaimsSet claims = processor.process(token, null);
            return new User(claims.getSubject(), claims.getStringClaim("email"), claims.getStringListClaim("groups"));
        };
    }

    private static Library auth0(PomeriumTestIssuer issuer) throws Exception {
        JWTVerifier verifier = JWT.require(Algorithm.ECDSA256(key(issuer), null))
                .withIssuer(issuer.host())
                .withAudience(issuer.host())
                .withClaimPresence("exp")
                .build();
        return token -> {
            DecodedJWT decoded = verifier.verify(token);
            return new User(
                    decoded.getSubject(), decoded.getClaim("email").asString(), decoded.getClaim("groups").asList(String.class));
        };
    }

    private static Library jjwt(PomeriumTestIssuer issuer) throws Exception {
        JwtParser parser = Jwts.parser()
                .verifyWith(key(issuer))
                .requireIssuer(issuer.host())
                .requireAudience(issuer.host())
                .build();
        return token -> {
            var jws = parser.parseSignedClaims(token);
            Claims claims = jws.getPayload();
            if (claims.getExpiration() == null) {
                throw new MissingClaimException(jws.getHeader(), claims, "exp", null, "exp is missing");
            }
            @SuppressWarnings("unchecked") // the tokens have a list of text
            List<String> groups = claims.get("groups", List.class);
            return new User(claims.getSubject(), claims.get("email", String.class), groups);
        };
    }

    private static ECPublicKey key(PomeriumTestIssuer issuer) throws Exception {
        return JWKSet.parse(issuer.keySet()).getKeys().get(0).toECKey().toECPublicKey();
    }
}
