package io.github.pomeriumjwt;

import static io.github.pomeriumjwt.ErrorKind.ACCESS;
import static io.github.pomeriumjwt.ErrorKind.KEYS;
import static io.github.pomeriumjwt.ErrorKind.OPTIONS;
import static io.github.pomeriumjwt.ErrorKind.TOKEN;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The stable code of an error: a name, a number and a kind, the same in every language. */
public enum ErrorCode {
    /** The options are invalid; the message says how to fix them. */
    INVALID_OPTIONS(1, OPTIONS),
    /** A method was called with an invalid argument, or after close. */
    INVALID_ARGUMENT(2, OPTIONS),
    /** No token: the request did not come through Pomerium, or {@code pass_identity_headers} is off. */
    TOKEN_MISSING(100, TOKEN),
    /** Several tokens in one request: Pomerium sends exactly one. */
    TOKEN_REPEATED(101, TOKEN),
    /** The token is longer than the option {@code maxTokenBytes}. */
    TOKEN_TOO_LARGE(102, TOKEN),
    /** The text is not a JWT in compact serialization. */
    TOKEN_MALFORMED(103, TOKEN),
    /** The token's {@code alg} is not one of the option {@code algorithms}. */
    ALGORITHM_NOT_ALLOWED(104, TOKEN),
    /** The JOSE header has {@code crit}, or a {@code typ} other than JWT. */
    HEADER_UNSUPPORTED(105, TOKEN),
    /** No key of the set fits the token: another deployment signed it, or its key was withdrawn. */
    KEY_NOT_FOUND(106, TOKEN),
    /** The signature is invalid: the token was altered or signed with another key. */
    SIGNATURE_INVALID(107, TOKEN),
    /** The signed payload is not a strict JSON object of well-typed claims. */
    CLAIMS_MALFORMED(108, TOKEN),
    /** The token has expired; if it was just issued, check the clocks. */
    TOKEN_EXPIRED(109, TOKEN),
    /** The token is not valid yet; check the clocks. */
    TOKEN_NOT_YET_VALID(110, TOKEN),
    /** The token was issued in the future; check the clocks. */
    TOKEN_ISSUED_IN_FUTURE(111, TOKEN),
    /** The token was issued longer ago than the option {@code maxTokenAge}. */
    TOKEN_TOO_OLD(112, TOKEN),
    /** {@code iss} is not an expected issuer. */
    ISSUER_MISMATCH(113, TOKEN),
    /** The token is for another application. */
    AUDIENCE_MISMATCH(114, TOKEN),
    /** Nobody is signed in: the route is public. */
    SUBJECT_MISSING(115, TOKEN),
    /** A claim does not have a value that the option {@code expectClaims} accepts. */
    CLAIM_MISMATCH(116, TOKEN),
    /** The signing keys could not be loaded; see the message and {@link Verifier#status}. Try again later. */
    KEYS_UNAVAILABLE(200, KEYS),
    /** The signing keys must be fetched first. {@link Verifier} does so itself, and never gives this. */
    KEYS_NEEDED(201, KEYS),
    /** The key set has no usable key: is {@code signing_key} set in Pomerium? */
    KEYS_EMPTY(202, KEYS),
    /** The user is not in a group that the option {@code requireGroup} or the route demands. */
    GROUP_REQUIRED(300, ACCESS),
    /** A fault in this library or on this machine. */
    INTERNAL(900, ErrorKind.INTERNAL);

    private static final Map<Integer, ErrorCode> BY_NUMBER =
            Arrays.stream(values()).collect(Collectors.toMap(ErrorCode::number, Function.identity()));

    private final int number;
    private final ErrorKind kind;
    private final String text;

    ErrorCode(int number, ErrorKind kind) {
        this.number = number;
        this.kind = kind;
        this.text = name().toLowerCase(Locale.ROOT);
    }

    /** The number that all languages have. */
    public int number() {
        return number;
    }

    /** What errors with this code are about. */
    public ErrorKind kind() {
        return kind;
    }

    /** The name that all languages have, such as {@code token_expired}. */
    @Override
    public String toString() {
        return text;
    }

    /** The code of this number; INTERNAL for one that a newer native library may have. */
    static ErrorCode of(int number) {
        return BY_NUMBER.getOrDefault(number, INTERNAL);
    }
}
