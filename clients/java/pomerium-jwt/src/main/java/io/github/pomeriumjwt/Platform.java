package io.github.pomeriumjwt;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What a native library is built for.
 *
 * @param name such as linux-x86_64, the folder of its library in the jar
 */
record Platform(String name) {
    /** That of this machine. */
    static Platform current() {
        return of(System.getProperty("os.name"), System.getProperty("os.arch"), hasMusl());
    }

    static Platform of(String system, String machine, boolean musl) {
        String known = system.toLowerCase(Locale.ROOT);
        String kind = known.startsWith("linux")
                ? (musl ? "linux-musl" : "linux")
                : known.startsWith("mac") ? "macos" : known.startsWith("windows") ? "windows" : known.replace(' ', '-');
        return new Platform(kind + "-" + switch (machine) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "aarch64";
            default -> machine;
        });
    }

    /** Whether this JVM itself runs on musl, as Alpine's does, whose programs load no library for glibc. */
    private static boolean hasMusl() {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.anyMatch(line -> line.contains("/ld-musl-"));
        } catch (IOException | RuntimeException notLinux) {
            return false;
        }
    }

    /** The file's name, such as libpomerium_jwt.so. */
    static String fileName() {
        return System.mapLibraryName("pomerium_jwt");
    }

    /** What to do if the jar has no library for this platform. */
    String advice() {
        String build = "build it with `cargo build --release -p pomerium-jwt-ffi` and set POMERIUM_JWT_LIBRARY to its path";
        return name.startsWith("linux-musl")
                ? "on musl (Alpine) use an image with glibc, or " + build
                : "for this platform " + build;
    }
}
