package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page that users read says what is. */
class ReadmeTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern QUOTED = Pattern.compile("<!-- file: (\\S+) -->\n```\\w+\n(.*?)```", Pattern.DOTALL);
    private static final Pattern OWN = Pattern.compile("(?<!-->\n)```java\n(.*?)```", Pattern.DOTALL);

    private static String text() throws Exception {
        return Files.readString(ROOT.resolve("clients/java/README.md"));
    }

    private static List<MatchResult> blocks(Pattern pattern) throws Exception {
        return pattern.matcher(text()).results().toList();
    }

    @Test
    void quotesTheExamples() throws Exception {
        List<MatchResult> quoted = blocks(QUOTED);
        assertTrue(quoted.size() >= 2);
        for (MatchResult block : quoted) {
            assertEquals(Files.readString(ROOT.resolve(block.group(1))), block.group(2), block.group(1));
        }
    }

    /** Other programs than those of files, which tests run, are compiled. */
    @Test
    void itsOtherProgramsCompile(@TempDir Path folder) throws Exception {
        List<MatchResult> own = blocks(OWN);
        assertTrue(!own.isEmpty());
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> arguments = List.of("-Xlint:all", "-d", folder.toString(), "-cp", System.getProperty("java.class.path"));
        for (MatchResult block : own) {
            DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
            compiler.getTask(null, null, found, arguments, null, List.of(new Source(block.group(1)))).call();
            List<String> complaints = found.getDiagnostics().stream()
                    .filter(one -> one.getKind() != Diagnostic.Kind.NOTE && !String.valueOf(one.getCode()).contains("path"))
                    .map(Object::toString)
                    .toList();
            assertEquals(List.of(), complaints, block.group(1));
        }
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String text) {
            super(URI.create("string:///Readme.java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignored) {
            return text;
        }
    }
}
