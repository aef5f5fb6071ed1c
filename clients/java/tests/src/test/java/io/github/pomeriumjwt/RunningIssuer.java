package io.github.pomeriumjwt;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A `pomerium-jwt issuer`, as conformance/scenarios.md describes it. */
final class RunningIssuer implements AutoCloseable {
    private final Process process;
    private final String url;

    RunningIssuer() {
        try {
            process = new ProcessBuilder(command().toString(), "issuer", "--until-stdin-closes")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String line = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
            if (line == null || !line.startsWith("ready ")) {
                throw new IllegalStateException("the issuer wrote " + line);
            }
            url = line.substring("ready ".length());
        } catch (IOException wrong) {
            throw new UncheckedIOException("`make test-java` builds the command", wrong);
        }
    }

    /** What cargo has built. The tests run in conformance/. */
    static Path command() {
        String target = System.getenv("CARGO_TARGET_DIR");
        return Path.of(target != null ? target : "../target", "debug", "pomerium-jwt").toAbsolutePath();
    }

    String url() {
        return url;
    }

    /** Options of a verifier for its tokens. */
    Options.Builder options() {
        return Options.builder().route(url);
    }

    /** A token for alice. */
    String mint() {
        return ask("GET", "/mint?sub=alice");
    }

    void post(String path) {
        ask("POST", path);
    }

    int fetches() {
        return Cases.read(ask("GET", "/stats")).get("fetches").intValue();
    }

    private String ask(String method, String path) {
        try {
            HttpURLConnection connection = (HttpURLConnection) URI.create(url + path).toURL().openConnection();
            connection.setRequestMethod(method);
            return new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException wrong) {
            throw new UncheckedIOException(wrong);
        }
    }

    @Override
    public void close() {
        stop();
    }

    /** Breaks all its connections. */
    void stop() {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException wrong) {
            throw new UncheckedIOException(wrong);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
