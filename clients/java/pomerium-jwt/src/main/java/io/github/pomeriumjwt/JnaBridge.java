package io.github.pomeriumjwt;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Calls the library through JNA: for Java 17 to 21. Pointers and size_t are long, as on all 64-bit platforms. */
final class JnaBridge implements Bridge {
    private JnaBridge() {}

    /**
     * Opens the library of this path, or of this name where the system looks for libraries.
     *
     * @throws LinkageError if there is none, or if JNA is missing
     */
    static Bridge open(String library) {
        Native.register(JnaBridge.class, NativeLibrary.getInstance(library));
        return new JnaBridge();
    }

    private static native int pomerium_jwt_abi_version();

    private static native long pomerium_jwt_version();

    private static native int pomerium_jwt_verifier_new(byte[] options, long length, long[] verifier, long[] message);

    private static native int pomerium_jwt_verifier_with(
            long base, byte[] options, long length, long[] verifier, long[] message);

    private static native int pomerium_jwt_options_over_env(byte[] options, long length, long[] merged, long[] message);

    private static native int pomerium_jwt_verify_cached(
            long verifier, byte[] token, long length, long[] ticket, long[] output, long[] claims);

    private static native int pomerium_jwt_verify_at(
            long verifier, byte[] token, long length, long now, long[] output, long[] claims);

    private static native int pomerium_jwt_admit(
            long verifier,
            byte[] token,
            long length,
            byte[] path,
            long pathLength,
            int flags,
            long[] ticket,
            long[] output,
            long[] claims);

    private static native int pomerium_jwt_refresh(long verifier, int force, long[] message);

    private static native int pomerium_jwt_status(long verifier, long[] output);

    private static native int pomerium_jwt_describe(long verifier, long[] output);

    private static native int pomerium_jwt_metrics(long verifier, long[] output);

    private static native void pomerium_jwt_verifier_free(long verifier);

    private static native void pomerium_jwt_string_free(long text);

    @Override
    public int abiVersion() {
        return pomerium_jwt_abi_version();
    }

    @Override
    public String version() {
        return read(pomerium_jwt_version());
    }

    @Override
    public Answer create(byte[] options) {
        long[] made = new long[1];
        long[] message = new long[1];
        int code = pomerium_jwt_verifier_new(options, options.length, made, message);
        return new Answer(code, made[0], take(message), null);
    }

    @Override
    public Answer with(long verifier, byte[] options) {
        long[] made = new long[1];
        long[] message = new long[1];
        int code = pomerium_jwt_verifier_with(verifier, options, options.length, made, message);
        return new Answer(code, made[0], take(message), null);
    }

    @Override
    public Answer optionsOverEnv(byte[] options) {
        long[] merged = new long[1];
        long[] message = new long[1];
        int code = pomerium_jwt_options_over_env(options, options.length, merged, message);
        return code == 0
                ? new Answer(code, 0, take(merged), take(message))
                : new Answer(code, 0, take(message), null);
    }

    @Override
    public Answer verify(long verifier, byte[] token, long ticket) {
        long[] tickets = {ticket};
        long[] output = new long[1];
        long[] claims = new long[1];
        int code = pomerium_jwt_verify_cached(verifier, token, token.length, tickets, output, claims);
        return new Answer(code, tickets[0], take(output), take(claims));
    }

    @Override
    public Answer verifyAt(long verifier, byte[] token, long now) {
        long[] output = new long[1];
        long[] claims = new long[1];
        int code = pomerium_jwt_verify_at(verifier, token, token.length, now, output, claims);
        return new Answer(code, 0, take(output), take(claims));
    }

    @Override
    public Answer admit(long verifier, byte[] token, byte[] path, int flags, long ticket) {
        long[] tickets = {ticket};
        long[] output = new long[1];
        long[] claims = new long[1];
        int code = pomerium_jwt_admit(
                verifier, token, token.length, path, path.length, flags, tickets, output, claims);
        return new Answer(code, tickets[0], take(output), take(claims));
    }

    @Override
    public Answer refresh(long verifier, boolean force) {
        long[] message = new long[1];
        int code = pomerium_jwt_refresh(verifier, force ? 1 : 0, message);
        return new Answer(code, 0, take(message), null);
    }

    @Override
    public Answer status(long verifier) {
        long[] output = new long[1];
        int code = pomerium_jwt_status(verifier, output);
        return new Answer(code, 0, take(output), null);
    }

    @Override
    public Answer describe(long verifier) {
        long[] output = new long[1];
        int code = pomerium_jwt_describe(verifier, output);
        return new Answer(code, 0, take(output), null);
    }

    @Override
    public Answer metrics(long verifier) {
        long[] output = new long[1];
        int code = pomerium_jwt_metrics(verifier, output);
        return new Answer(code, 0, take(output), null);
    }

    @Override
    public void free(long verifier) {
        pomerium_jwt_verifier_free(verifier);
    }

    /** Copies a text that the library has written, and frees it. */
    private static @Nullable String take(long[] text) {
        if (text[0] == 0) {
            return null;
        }
        try {
            return read(text[0]);
        } finally {
            pomerium_jwt_string_free(text[0]);
        }
    }

    private static String read(long text) {
        return new Pointer(text).getString(0, StandardCharsets.UTF_8.name());
    }
}
