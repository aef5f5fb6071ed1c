/**
 * Says who is calling: verifies the JWT that Pomerium puts into the header X-Pomerium-Jwt-Assertion, strictly and fast.
 *
 * <pre>{@code
 * Verifier verifier = Verifier.forRoute("https://app.example.com"); // once per application; threads share it
 * Identity identity = verifier.verify(request.getHeader("X-Pomerium-Jwt-Assertion"));
 * }</pre>
 *
 * <p>Servlets, Spring Security and Spring Boot have modules of their own; for tests of applications there is
 * {@code pomerium-jwt-test}.
 */
@NullMarked
package io.github.pomeriumjwt;

import org.jspecify.annotations.NullMarked;
