package io.github.pomeriumjwt;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Calls the library through the Foreign Function &amp; Memory API of Java 22. A record, because the JVM's compiler trusts
 * that the fields of one do not change, and so calls the functions directly.
 */
record FfmBridge(
        MethodHandle abiVersionOf,
        MethodHandle versionOf,
        MethodHandle verifierNew,
        MethodHandle verifierWith,
        MethodHandle overEnv,
        MethodHandle verifyCached,
        MethodHandle verifyGiven,
        MethodHandle admitRequest,
        MethodHandle refreshKeys,
        MethodHandle statusOf,
        MethodHandle descriptionOf,
        MethodHandle metricsOf,
        MethodHandle verifierFree,
        MethodHandle stringFree)
        implements Bridge {
    /** Where the library writes, in the memory of a call: two texts, and the ticket or the pointer to a verifier. */
    private static final long OUTPUT = 0;

    private static final long CLAIMS = 8;
    private static final long VALUE = 16;

    /** Where the texts that it gets begin. */
    private static final long TEXTS = 24;

    private static final byte[] NONE = {};

    /**
     * Opens the library of this path, or of this name where the system looks for libraries.
     *
     * @throws LinkageError if there is none
     */
    static Bridge open(String library) {
        SymbolLookup found = lookup(library);
        return new FfmBridge(
                function(found, "abi_version", JAVA_INT),
                function(found, "version", JAVA_LONG),
                function(found, "verifier_new", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS),
                function(found, "verifier_with", JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS),
                function(found, "options_over_env", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS),
                function(found, "verify_cached", JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS),
                function(found, "verify_at", JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS),
                function(
                        found, "admit", JAVA_INT,
                        JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS, ADDRESS),
                function(found, "refresh", JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS),
                function(found, "status", JAVA_INT, JAVA_LONG, ADDRESS),
                function(found, "describe", JAVA_INT, JAVA_LONG, ADDRESS),
                function(found, "metrics", JAVA_INT, JAVA_LONG, ADDRESS),
                function(found, "verifier_free", null, JAVA_LONG),
                function(found, "string_free", null, JAVA_LONG));
    }

    private static SymbolLookup lookup(String library) {
        Path path = Path.of(library);
        try {
            // Global: closing a library would pull the ground from under a fetch
            return path.isAbsolute()
                    ? SymbolLookup.libraryLookup(path, Arena.global())
                    : SymbolLookup.libraryLookup(library, Arena.global());
        } catch (IllegalArgumentException unexplained) {
            if (path.isAbsolute()) {
                System.load(library); // says why
            }
            throw new UnsatisfiedLinkError(unexplained.getMessage());
        }
    }

    private static MethodHandle function(
            SymbolLookup library, String name, @Nullable MemoryLayout result, MemoryLayout... arguments) {
        MemorySegment address = library.find("pomerium_jwt_" + name)
                .orElseThrow(() -> new UnsatisfiedLinkError("it has no function pomerium_jwt_" + name));
        FunctionDescriptor descriptor =
                result == null ? FunctionDescriptor.ofVoid(arguments) : FunctionDescriptor.of(result, arguments);
        return Linker.nativeLinker().downcallHandle(address, descriptor);
    }

    @Override
    public int abiVersion() {
        try {
            return (int) abiVersionOf.invokeExact();
        } catch (Throwable fault) {
            throw unexpected(fault);
        }
    }

    @Override
    public String version() {
        try {
            return read((long) versionOf.invokeExact());
        } catch (Throwable fault) {
            throw unexpected(fault);
        }
    }

    @Override
    public Answer create(byte[] options) {
        return answer(options, NONE, 0, memory -> (int) verifierNew.invokeExact(
                memory.asSlice(TEXTS), (long) options.length, memory.asSlice(VALUE), memory.asSlice(OUTPUT)));
    }

    @Override
    public Answer with(long verifier, byte[] options) {
        return answer(options, NONE, 0, memory -> (int) verifierWith.invokeExact(
                verifier, memory.asSlice(TEXTS), (long) options.length, memory.asSlice(VALUE), memory.asSlice(OUTPUT)));
    }

    @Override
    public Answer optionsOverEnv(byte[] options) {
        Answer answer = answer(options, NONE, 0, memory -> (int) overEnv.invokeExact(
                memory.asSlice(TEXTS), (long) options.length, memory.asSlice(OUTPUT), memory.asSlice(CLAIMS)));
        return answer.code() == 0 ? answer : new Answer(answer.code(), 0, answer.claims(), null);
    }

    @Override
    public Answer verify(long verifier, byte[] token, long ticket) {
        return answer(token, NONE, ticket, memory -> (int) verifyCached.invokeExact(
                verifier,
                memory.asSlice(TEXTS),
                (long) token.length,
                memory.asSlice(VALUE),
                memory.asSlice(OUTPUT),
                memory.asSlice(CLAIMS)));
    }

    @Override
    public Answer verifyAt(long verifier, byte[] token, long now) {
        return answer(token, NONE, 0, memory -> (int) verifyGiven.invokeExact(
                verifier,
                memory.asSlice(TEXTS),
                (long) token.length,
                now,
                memory.asSlice(OUTPUT),
                memory.asSlice(CLAIMS)));
    }

    @Override
    public Answer admit(long verifier, byte[] token, byte[] path, int flags, long ticket) {
        return answer(token, path, ticket, memory -> (int) admitRequest.invokeExact(
                verifier,
                memory.asSlice(TEXTS),
                (long) token.length,
                memory.asSlice(TEXTS + token.length),
                (long) path.length,
                flags,
                memory.asSlice(VALUE),
                memory.asSlice(OUTPUT),
                memory.asSlice(CLAIMS)));
    }

    @Override
    public Answer refresh(long verifier, boolean force) {
        return answer(NONE, NONE, 0, memory ->
                (int) refreshKeys.invokeExact(verifier, force ? 1 : 0, memory.asSlice(OUTPUT)));
    }

    @Override
    public Answer status(long verifier) {
        return answer(NONE, NONE, 0, memory -> (int) statusOf.invokeExact(verifier, memory.asSlice(OUTPUT)));
    }

    @Override
    public Answer describe(long verifier) {
        return answer(NONE, NONE, 0, memory -> (int) descriptionOf.invokeExact(verifier, memory.asSlice(OUTPUT)));
    }

    @Override
    public Answer metrics(long verifier) {
        return answer(NONE, NONE, 0, memory -> (int) metricsOf.invokeExact(verifier, memory.asSlice(OUTPUT)));
    }

    @Override
    public void free(long verifier) {
        try {
            verifierFree.invokeExact(verifier);
        } catch (Throwable fault) {
            throw unexpected(fault);
        }
    }

    /** A call of a function of the library, with memory for its results and for the texts that it gets. */
    private interface Call {
        int on(MemorySegment memory) throws Throwable;
    }

    private Answer answer(byte[] text, byte[] path, long value, Call call) {
        MemorySegment memory = Scratch.take(TEXTS + text.length + path.length);
        try {
            memory.set(JAVA_LONG, OUTPUT, 0);
            memory.set(JAVA_LONG, CLAIMS, 0);
            memory.set(JAVA_LONG, VALUE, value);
            MemorySegment.copy(text, 0, memory, JAVA_BYTE, TEXTS, text.length);
            MemorySegment.copy(path, 0, memory, JAVA_BYTE, TEXTS + text.length, path.length);
            int code = call.on(memory);
            String output = take(memory.get(JAVA_LONG, OUTPUT));
            String claims = take(memory.get(JAVA_LONG, CLAIMS));
            return new Answer(code, memory.get(JAVA_LONG, VALUE), output, claims);
        } catch (Throwable fault) {
            throw unexpected(fault);
        } finally {
            Scratch.give(memory);
        }
    }

    /** Copies a text that the library has written, and frees it. */
    private @Nullable String take(long text) throws Throwable {
        if (text == 0) {
            return null;
        }
        try {
            return read(text);
        } finally {
            stringFree.invokeExact(text);
        }
    }

    private static String read(long text) {
        return MemorySegment.ofAddress(text).reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** No function of the library throws; only a JVM that is out of memory or out of stack does. */
    private static RuntimeException unexpected(Throwable fault) {
        if (fault instanceof Error error) {
            throw error;
        }
        return fault instanceof RuntimeException known ? known : new IllegalStateException(fault);
    }
}
