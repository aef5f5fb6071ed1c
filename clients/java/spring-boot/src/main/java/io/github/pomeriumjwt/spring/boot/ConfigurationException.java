package io.github.pomeriumjwt.spring.boot;

/** Why an application must not start, if it is not the verifier that says so. */
final class ConfigurationException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    private final String action;

    ConfigurationException(String message, String action) {
        super(message);
        this.action = action;
    }

    /** What to do about it. */
    String action() {
        return action;
    }
}
