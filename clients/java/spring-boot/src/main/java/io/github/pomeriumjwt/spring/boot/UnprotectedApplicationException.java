package io.github.pomeriumjwt.spring.boot;

/** The application is of a kind that nothing here protects. */
final class UnprotectedApplicationException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    UnprotectedApplicationException() {
        super("pomerium-jwt protects servlet applications, and this one is reactive (WebFlux)");
    }
}
