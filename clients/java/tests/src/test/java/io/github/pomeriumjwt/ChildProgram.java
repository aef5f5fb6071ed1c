package io.github.pomeriumjwt;

import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What a {@link ChildJvm} runs: says what came of it. */
final class ChildProgram {
    private ChildProgram() {}

    public static void main(String[] arguments) throws Exception {
        try {
            switch (arguments[0]) {
                case "verify" -> verify();
                case "environment" -> environment(Options.builder().build());
                case "over" -> environment(Options.builder().requireGroup("staff").build());
                case "system" -> system();
                case "rounds" -> rounds(Integer.parseInt(arguments[1]));
                case "verifiers" -> verifiers(Integer.parseInt(arguments[1]), arguments[2].equals("closed"));
                default -> throw new IllegalArgumentException(arguments[0]);
            }
        } catch (VerifyException refusal) {
            System.out.println(refusal.getMessage());
        }
    }

    private static void verify() {
        PomeriumTestIssuer issuer = new PomeriumTestIssuer();
        try (Verifier verifier = issuer.verifier()) {
            String bridge = Library.bridge().getClass().getSimpleName();
            System.out.println("verified " + verifier.verify(issuer.token()).subject() + " by " + bridge);
        }
    }

    /** On a platform for which the jar has no library. */
    private static void system() {
        Library library = new Library(null, Platform.of("Linux", "riscv64", false), NewestBridge::open);
        System.out.println("found " + library.find().version());
    }

    private static void environment(Options options) {
        try (Verifier verifier = Verifier.overEnv(options)) {
            System.out.println(verifier.summary());
            System.out.println("warning: " + verifier.warning().orElse("none"));
        }
    }

    /** Prints how much the process has grown. */
    private static void rounds(int rounds) throws IOException {
        PomeriumTestIssuer issuer = new PomeriumTestIssuer();
        try (Verifier verifier = issuer.verifier()) {
            String good = issuer.token(Map.of("groups", List.of("admins")));
            String bad = issuer.expired();
            // Longer than what is kept for calls
            String long_ = issuer.token(Map.of("pad", "x".repeat(20_000)));
            verifyAndRefuse(verifier, good, bad, long_, rounds / 5);
            long before = residentBytes();
            verifyAndRefuse(verifier, good, bad, long_, rounds);
            System.out.println(residentBytes() - before);
        }
    }

    private static void verifyAndRefuse(Verifier verifier, String good, String bad, String oversized, int rounds) {
        for (int round = 0; round < rounds; round++) {
            if (!verifier.verify(good).inGroup("admins")) {
                throw new IllegalStateException("not in its group");
            }
            refused(ErrorCode.TOKEN_EXPIRED, () -> verifier.admit(new Request(bad, "/")));
            if (round % 100 == 0) { // what else allocates in the library
                verifier.verify(oversized);
                verifier.status();
                verifier.metrics();
                refused(ErrorCode.INVALID_OPTIONS, () -> Verifier.of(Options.builder().build()));
            }
        }
    }

    private static void refused(ErrorCode code, Runnable call) {
        try {
            call.run();
        } catch (VerifyException refusal) {
            if (refusal.code() == code) {
                return;
            }
            throw refusal;
        }
        throw new IllegalStateException("not refused");
    }

    /** Prints how much the process has grown. */
    private static void verifiers(int number, boolean close) throws IOException, InterruptedException {
        PomeriumTestIssuer issuer = new PomeriumTestIssuer();
        makeVerifiers(issuer, number / 5, close);
        long before = residentBytes();
        makeVerifiers(issuer, number, close);
        System.out.println(residentBytes() - before);
    }

    private static void makeVerifiers(PomeriumTestIssuer issuer, int number, boolean close) throws InterruptedException {
        String token = issuer.token();
        for (int made = 0; made < number; made++) {
            Verifier verifier = issuer.verifier();
            verifier.verify(token);
            if (close) {
                verifier.close();
            } else if (made % 50 == 0) {
                System.gc();
                Thread.sleep(50); // for the Cleaner's thread
            }
        }
    }

    private static long residentBytes() throws IOException {
        System.gc();
        String line = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(one -> one.startsWith("VmRSS:"))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
    }
}
