/**
 * For tests of applications behind Pomerium: tokens signed as Pomerium signs them, and verified as in production.
 *
 * <pre>{@code
 * PomeriumTestIssuer issuer = new PomeriumTestIssuer();
 * Application application = new Application(issuer.verifier());
 * request.setHeader(PomeriumTestIssuer.HEADER, issuer.token(Map.of("groups", List.of("admins"))));
 * }</pre>
 */
@NullMarked
package io.github.pomeriumjwt.test;

import org.jspecify.annotations.NullMarked;
