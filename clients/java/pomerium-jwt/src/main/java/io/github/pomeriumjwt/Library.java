package io.github.pomeriumjwt;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds the native library: that of the environment variable POMERIUM_JWT_LIBRARY if it is set, else that in this jar,
 * else that of the system.
 */
final class Library {
    /** The system property that has Java 22 and later call through JNA too, if it is {@code jna}. */
    static final String BRIDGE = "io.github.pomeriumjwt.bridge";

    private static final String VARIABLE = "POMERIUM_JWT_LIBRARY";

    /** What this package is written for: see pomerium_jwt_abi_version in the header. */
    private static final int ABI_VERSION = 1;

    private final @Nullable String configured;
    private final Platform platform;
    private final Function<String, Bridge> open;
    private final List<String> places = new ArrayList<>();

    Library(@Nullable String configured, Platform platform, Function<String, Bridge> open) {
        this.configured = configured;
        this.platform = platform;
        this.open = open;
    }

    /** Opened once, when it is first needed. */
    private static final class Opened {
        static final @Nullable Bridge BRIDGE;
        static final @Nullable VerifyException FAILURE;

        static {
            Bridge bridge = null;
            VerifyException failure = null;
            try {
                bridge = new Library(System.getenv(VARIABLE), Platform.current(), NewestBridge::open).find();
            } catch (VerifyException missing) {
                failure = missing;
            }
            BRIDGE = bridge;
            FAILURE = failure;
        }
    }

    /**
     * The library of this process.
     *
     * @throws VerifyException INTERNAL, in a sentence that names every place looked at
     */
    static Bridge bridge() {
        VerifyException failure = Opened.FAILURE;
        if (failure != null) {
            throw new VerifyException(ErrorCode.INTERNAL, failure.reason(), null, null, failure.getCause());
        }
        return Objects.requireNonNull(Opened.BRIDGE);
    }

    Bridge find() {
        Bridge found;
        if (configured != null && !configured.isEmpty()) {
            found = tried(VARIABLE + "=" + configured, Path.of(configured).toAbsolutePath().toString());
        } else {
            found = unpacked();
            if (found == null) {
                found = tried("the system's libraries", Platform.fileName());
            }
        }
        if (found == null) {
            throw new VerifyException(
                    ErrorCode.INTERNAL,
                    "the native library cannot be loaded. Looked at: " + String.join("; ", places) + ". What to do: "
                            + platform.advice());
        }
        return judged(found);
    }

    private static Bridge judged(Bridge found) {
        int version = found.abiVersion();
        if (version != ABI_VERSION) {
            throw new VerifyException(
                    ErrorCode.INTERNAL,
                    "libpomerium_jwt " + found.version() + " has the ABI version " + version + ", and this jar is for "
                            + ABI_VERSION + ": use the library of the same release");
        }
        return found;
    }

    /** The library in this jar, copied into a folder that no other user of the machine can write to. */
    private @Nullable Bridge unpacked() {
        String resource = "native/" + platform.name() + "/" + Platform.fileName();
        String place = "this jar (" + resource + ")";
        try (InputStream packed = Library.class.getResourceAsStream(resource)) {
            if (packed == null) {
                places.add(place + ": not there");
                return null;
            }
            byte[] library = packed.readAllBytes();
            Path folder = Files.createTempDirectory("pomerium-jwt-");
            Path file = folder.resolve(Platform.fileName());
            try {
                Files.write(file, library);
                check(file, resource + ".sha256");
                return tried(place + " unpacked to " + file, file.toString());
            } finally {
                remove(file);
                remove(folder);
            }
        } catch (IOException wrong) {
            places.add(place + ": " + wrong);
            return null;
        }
    }

    /** What will be loaded is what was built: a full disk or a torn jar must not become a crash. */
    private static void check(Path file, String resource) throws IOException {
        try (InputStream packed = Library.class.getResourceAsStream(resource)) {
            if (packed == null) {
                throw new IOException("the checksum " + resource + " is missing");
            }
            String expected = new String(packed.readAllBytes(), StandardCharsets.US_ASCII).strip();
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            if (!HexFormat.of().formatHex(digest).equals(expected)) {
                throw new IOException("its SHA-256 is not the one in " + resource);
            }
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible); // every JVM has it
        }
    }

    /** A library that is loaded needs its file no more, except on Windows. */
    private static void remove(Path path) {
        File file = path.toFile();
        if (!file.delete()) {
            file.deleteOnExit();
        }
    }

    private @Nullable Bridge tried(String place, String library) {
        try {
            return open.apply(library);
        } catch (NoClassDefFoundError missing) {
            throw new VerifyException(
                    ErrorCode.INTERNAL,
                    "Java " + Runtime.version().feature() + " calls the native library through JNA, which is missing: add "
                            + "net.java.dev.jna:jna as a dependency, or use Java 22 or later",
                    null, null, missing);
        } catch (IllegalCallerException | ExceptionInInitializerError refused) {
            throw new VerifyException(ErrorCode.INTERNAL, nativeAccess(refused), null, null, refused);
        } catch (RuntimeException | LinkageError wrong) {
            places.add(place + ": " + wrong.getMessage());
            return null;
        }
    }

    private static String nativeAccess(Throwable refused) {
        return "Java refuses native access (" + refused + "). Start it with --enable-native-access=ALL-UNNAMED, or set "
                + "JDK_JAVA_OPTIONS=--enable-native-access=ALL-UNNAMED, or have the manifest of the application's jar say "
                + "Enable-Native-Access: ALL-UNNAMED; on the module path use --enable-native-access=io.github.pomeriumjwt";
    }
}
