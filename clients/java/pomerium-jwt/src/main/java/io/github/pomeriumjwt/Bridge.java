package io.github.pomeriumjwt;

import org.jspecify.annotations.Nullable;

/** The calls into the native library: one method for each of its functions that Java needs. */
interface Bridge {
    /** The one admission that is neither success nor an error. */
    int PASSED = -1;

    /** Facts of a request for {@link #admit}. */
    int UPGRADE = 1;

    /** Facts of a request for {@link #admit}. */
    int MARKED_PUBLIC = 2;

    /**
     * What a call gave.
     *
     * @param code 0, {@link #PASSED} or the number of an error
     * @param value the pointer to a new verifier, or the ticket
     * @param output of a success the result, of a failure the message or the response
     * @param claims the second text of those functions that have two
     */
    record Answer(int code, long value, @Nullable String output, @Nullable String claims) {}

    int abiVersion();

    String version();

    Answer create(byte[] options);

    Answer with(long verifier, byte[] options);

    /** The output is the merged options, the claims are the warning to log. */
    Answer optionsOverEnv(byte[] options);

    /** Never waits. A ticket of 0 begins a verification, any other is the final call's. */
    Answer verify(long verifier, byte[] token, long ticket);

    Answer verifyAt(long verifier, byte[] token, long now);

    /** Never waits, as {@link #verify}. */
    Answer admit(long verifier, byte[] token, byte[] path, int flags, long ticket);

    /** Waits for the key source, and keeps a thread of the system meanwhile. */
    Answer refresh(long verifier, boolean force);

    Answer status(long verifier);

    /** Starts no fetch, unlike {@link #status}. */
    Answer describe(long verifier);

    Answer metrics(long verifier);

    void free(long verifier);
}
