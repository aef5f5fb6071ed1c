package io.github.pomeriumjwt;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A request that got in: with an identity, or without one because it needs no token. */
public final class Admission {
    /** The admission of nobody. */
    static final Admission PASSED = new Admission(null);

    private final @Nullable Identity identity;

    private Admission(@Nullable Identity identity) {
        this.identity = identity;
    }

    static Admission of(Identity identity) {
        return new Admission(identity);
    }

    /**
     * Who is calling. Empty if the request got in without a token, by the options {@code optional} or
     * {@code exemptPaths}.
     */
    public Optional<Identity> identity() {
        return Optional.ofNullable(identity);
    }

    /**
     * The identity of a signed-in user, for a route that demands one.
     *
     * @throws VerifyException TOKEN_MISSING if the request passed without a token, SUBJECT_MISSING if its identity is
     *     anonymous
     */
    public Identity requireUser() {
        if (identity == null) {
            throw new VerifyException(
                    ErrorCode.TOKEN_MISSING,
                    "this route demands a signed-in user, and the request passed without a token");
        }
        if (!identity.isUser()) {
            throw new VerifyException(
                    ErrorCode.SUBJECT_MISSING, "this route demands a signed-in user, and sub is empty");
        }
        return identity;
    }

    /**
     * The identity of a signed-in user who is in at least one of these groups.
     *
     * @throws VerifyException as {@link #requireUser}; GROUP_REQUIRED if the user is in none of them; INVALID_ARGUMENT
     *     without names of groups
     */
    public Identity requireGroup(String... groups) {
        if (groups.length == 0) {
            throw new VerifyException(
                    ErrorCode.INVALID_ARGUMENT, "requireGroup got no groups: name at least one");
        }
        Identity user = requireUser();
        if (!user.inAnyGroup(groups)) {
            throw new VerifyException(
                    ErrorCode.GROUP_REQUIRED,
                    "the user is in none of the groups that this route demands: " + quoted(groups));
        }
        return user;
    }

    /** A handful of groups in a message. */
    private static String quoted(String[] groups) {
        int shown = 4;
        return Arrays.stream(groups).limit(shown).map(Json::quoted).collect(Collectors.joining(", "))
                + (groups.length > shown ? ", ..." : "");
    }

    /** Shows no personal data. */
    @Override
    public String toString() {
        return identity == null ? "Admission[passed]" : "Admission[" + identity + "]";
    }
}
