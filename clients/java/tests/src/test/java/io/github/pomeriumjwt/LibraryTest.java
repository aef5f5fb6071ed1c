package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import application.Application;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the native library is found, and what is said if it is not. */
class LibraryTest {
    private static final int JAVA = Runtime.version().feature();

    private static void prints(String expected, String printed) {
        assertTrue(printed.contains(expected), () -> "expected " + expected + ", got " + printed);
    }

    private static String bridge() {
        return JAVA >= 22 ? "FfmBridge" : "JnaBridge";
    }

    /** The library of the jar, in a file. */
    private static Path copied(Path folder) throws Exception {
        Path file = folder.resolve(Platform.fileName());
        try (InputStream packed = Library.class.getResourceAsStream("native/" + Platform.current().name() + "/" + Platform.fileName())) {
            Files.copy(packed, file);
        }
        return file;
    }

    @Test
    void theJarHasIt() throws Exception {
        assertEquals("verified alice by " + bridge() + "\n", new ChildJvm().run("verify"));
    }

    @Test
    void theFileIsPrivateAndGoesAtOnce() {
        List<Path> opened = new ArrayList<>();
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        new Library(null, Platform.current(), library -> {
            opened.add(Path.of(library));
            permissions.addAll(permissionsOf(Path.of(library).getParent()));
            return NewestBridge.open(library);
        }).find();
        assertEquals(1, opened.size());
        assertEquals("rwx------", PosixFilePermissions.toString(permissions));
        assertTrue(Files.notExists(opened.get(0)) && Files.notExists(opened.get(0).getParent()), opened::toString);
    }

    private static Set<PosixFilePermission> permissionsOf(Path folder) {
        try {
            return Files.getPosixFilePermissions(folder);
        } catch (IOException wrong) {
            throw new UncheckedIOException(wrong);
        }
    }

    @Test
    void theEnvironmentNamesAnother(@TempDir Path folder) throws Exception {
        ChildJvm child = new ChildJvm().environment("POMERIUM_JWT_LIBRARY", copied(folder).toString());
        prints("verified alice", child.run("verify"));
        Files.writeString(folder.resolve("other.so"), "not a library");
        // It is what was asked for, so nothing else is tried
        String printed = new ChildJvm()
                .environment("POMERIUM_JWT_LIBRARY", folder.resolve("other.so").toString())
                .run("verify");
        prints("internal: the native library cannot be loaded. Looked at: POMERIUM_JWT_LIBRARY=" + folder, printed);
        prints("too short", printed);
        assertTrue(!printed.contains("this jar"), printed);
    }

    @Test
    void theSystemMayHaveIt(@TempDir Path folder) throws Exception {
        copied(folder);
        prints("found 0.", new ChildJvm().environment("LD_LIBRARY_PATH", folder.toString()).run("system"));
    }

    @Test
    void aMissingLibraryIsExplained() {
        Library library = new Library(null, Platform.of("Linux", "riscv64", false), name -> {
            throw new UnsatisfiedLinkError(name + ": no such file");
        });
        VerifyException missing = assertThrows(VerifyException.class, library::find);
        assertEquals(ErrorCode.INTERNAL, missing.code());
        assertEquals(
                "the native library cannot be loaded. Looked at: this jar (native/linux-riscv64/libpomerium_jwt.so): not there; "
                        + "the system's libraries: libpomerium_jwt.so: no such file. What to do: for this platform build it with "
                        + "`cargo build --release -p pomerium-jwt-ffi` and set POMERIUM_JWT_LIBRARY to its path",
                missing.reason());
        Library alpine = new Library("", Platform.of("Linux", "amd64", true), name -> {
            throw new UnsatisfiedLinkError(name);
        });
        prints("What to do: on musl (Alpine) use an image with glibc", assertThrows(VerifyException.class, alpine::find).reason());
    }

    @Test
    void platformsHaveOneName() {
        assertEquals("linux-x86_64", Platform.of("Linux", "amd64", false).name());
        assertEquals("linux-musl-aarch64", Platform.of("Linux", "aarch64", true).name());
        assertEquals("macos-aarch64", Platform.of("Mac OS X", "aarch64", false).name());
        assertEquals("windows-x86_64", Platform.of("Windows Server 2025", "amd64", false).name());
    }

    @Test
    void anotherReleaseIsRefused() {
        Bridge other = (Bridge) Proxy.newProxyInstance(
                Bridge.class.getClassLoader(),
                new Class<?>[] {Bridge.class},
                (proxy, method, arguments) -> method.getName().equals("abiVersion") ? 2 : "7.8.9");
        assertEquals(
                "libpomerium_jwt 7.8.9 has the ABI version 2, and this jar is for 1: use the library of the same release",
                assertThrows(VerifyException.class, new Library("x", Platform.current(), name -> other)::find).reason());
    }

    @Test
    void withoutJnaAnOldJavaSaysSo() throws Exception {
        String printed = new ChildJvm().without("jna").run("verify");
        prints(JAVA >= 22
                ? "verified alice by FfmBridge"
                : "internal: Java 17 calls the native library through JNA, which is missing: add net.java.dev.jna:jna", printed);
    }

    @Test
    @Tag("new-java")
    void whatAllowsNativeAccessIsNamed() throws Exception {
        assumeTrue(JAVA >= 24, "this needs Java 24 or later");
        for (String bridge : List.of("ffm", "jna")) {
            String printed = new ChildJvm()
                    .argument("--illegal-native-access=deny", "-Dio.github.pomeriumjwt.bridge=" + bridge)
                    .run("verify");
            prints("internal: Java refuses native access", printed);
            prints("--enable-native-access=ALL-UNNAMED", printed);
            prints("Enable-Native-Access: ALL-UNNAMED", printed);
        }
        // What the sentence says works
        assertEquals("verified alice by FfmBridge\n", new ChildJvm()
                .argument("--illegal-native-access=deny")
                .environment("JDK_JAVA_OPTIONS", "--enable-native-access=ALL-UNNAMED")
                .run("verify")
                .replaceFirst("^NOTE: .*\n", ""));
    }

    @Test
    void theModulePathWorks() throws Exception {
        String modules = ChildJvm.entries().stream()
                .filter(entry -> entry.contains("pomerium-jwt") && entry.endsWith(".jar"))
                .collect(Collectors.joining(File.pathSeparator));
        List<String> arguments = new ArrayList<>(List.of(
                "--module-path", modules, "--add-modules", "io.github.pomeriumjwt,io.github.pomeriumjwt.test"));
        if (JAVA >= 24) {
            arguments.add("--illegal-native-access=deny");
            arguments.add("--enable-native-access=io.github.pomeriumjwt");
        }
        assertEquals("alice\n", new ChildJvm()
                .argument(arguments.toArray(String[]::new))
                .without("pomerium-jwt-0").without("pomerium-jwt-test")
                .program(Application.class)
                .run());
    }
}
