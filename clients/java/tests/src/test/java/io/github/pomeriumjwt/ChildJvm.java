package io.github.pomeriumjwt;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Another JVM of the same kind, with arguments and an environment of its own, which runs {@link ChildProgram} unless told otherwise. */
final class ChildJvm {
    private final List<String> arguments = new ArrayList<>();
    private final Map<String, String> environment = new HashMap<>();
    private Class<?> program = ChildProgram.class;
    private String classPath = System.getProperty("java.class.path");

    ChildJvm argument(String... more) {
        arguments.addAll(List.of(more));
        return this;
    }

    ChildJvm environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    ChildJvm program(Class<?> other) {
        program = other;
        return this;
    }

    /** Leaves out the jars whose path holds this. */
    ChildJvm without(String jar) {
        classPath = Arrays.stream(classPath.split(File.pathSeparator)).filter(entry -> !entry.contains(jar)).collect(Collectors.joining(File.pathSeparator));
        return this;
    }

    static List<String> entries() {
        return Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator));
    }

    /** All that it writes, to standard output and error. */
    String run(String... input) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        if (Runtime.version().feature() >= 22 && !arguments.contains("--illegal-native-access=deny")) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(arguments);
        command.addAll(List.of("-cp", classPath, program.getName()));
        command.addAll(List.of(input));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        String written = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return written;
    }
}
