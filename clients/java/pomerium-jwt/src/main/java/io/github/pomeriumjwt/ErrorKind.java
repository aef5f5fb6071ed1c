package io.github.pomeriumjwt;

/** What an error is about, which decides the HTTP status to answer with. */
public enum ErrorKind {
    /** The application's configuration or call is wrong: 500. */
    OPTIONS("options", 500),
    /** The token is refused: 401. */
    TOKEN("token", 401),
    /** There are no keys to check the token with: 503 with Retry-After. */
    KEYS("keys", 503),
    /** The user is known and may not do this: 403. */
    ACCESS("access", 403),
    /** A fault in the library or on the machine: 500. */
    INTERNAL("internal", 500);

    private final String text;
    private final int status;

    ErrorKind(String text, int status) {
        this.text = text;
        this.status = status;
    }

    /** The HTTP status of errors of this kind. */
    public int status() {
        return status;
    }

    /** The name that all languages have, such as {@code token}. */
    @Override
    public String toString() {
        return text;
    }
}
