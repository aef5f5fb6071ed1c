package io.github.pomeriumjwt.test.spring;

import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.test.web.servlet.request.RequestPostProcessor;

/**
 * A user whose token a request carries, in tests with {@link PomeriumTest}. With MockMvc:
 * {@code mvc.perform(get("/admin").with(PomeriumUser.named("ada").groups("admins")))}; with WebTestClient:
 * {@code client.get().uri("/admin").headers(PomeriumUser.named("ada").groups("admins"))}. Immutable.
 */
public final class PomeriumUser implements RequestPostProcessor, Consumer<HttpHeaders> {
    /** One for all contexts of a test run, so that it does not matter which of them a token is for. */
    static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();

    private final Map<String, @Nullable Object> claims;

    private PomeriumUser(Map<String, @Nullable Object> claims) {
        this.claims = claims;
    }

    /** A user with this subject, without groups. E-mail address and name follow from it. */
    public static PomeriumUser named(String subject) {
        return new PomeriumUser(Map.of()).claim("sub", subject);
    }

    /** The same user, in these groups. */
    public PomeriumUser groups(String... groups) {
        return claim("groups", List.of(groups));
    }

    /** The same user, with another claim: what {@link PomeriumTestIssuer#token(Map)} takes. */
    public PomeriumUser claim(String name, @Nullable Object value) {
        Map<String, @Nullable Object> more = new LinkedHashMap<>(claims);
        more.put(name, value);
        return new PomeriumUser(more);
    }

    /** A token of this user, signed now. */
    public String token() {
        return ISSUER.token(claims);
    }

    /** Who the user is, once verified. */
    Identity identity(String token) {
        try (Verifier verifier = ISSUER.verifier()) {
            return verifier.verify(token);
        }
    }

    /** For MockMvc. */
    @Override
    public MockHttpServletRequest postProcessRequest(MockHttpServletRequest request) {
        request.addHeader(PomeriumTestIssuer.HEADER, token());
        return request;
    }

    /** For WebTestClient and other clients of Spring. */
    @Override
    public void accept(HttpHeaders headers) {
        headers.set(PomeriumTestIssuer.HEADER, token());
    }
}
