package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import application.Application;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Applications in one JVM, each with its own copy of the jars, as in an application server. */
class ClassLoaderTest {
    /** JNA is the server's. */
    private static final ClassLoader SERVER = loader(ClassLoader.getPlatformClassLoader(), "/jna/");

    private static ClassLoader loader(ClassLoader parent, String... parts) {
        List<URL> urls = new ArrayList<>();
        for (String entry : ChildJvm.entries()) {
            if (List.of(parts).stream().anyMatch(entry::contains)) {
                urls.add(url(entry));
            }
        }
        return new URLClassLoader(urls.toArray(URL[]::new), parent);
    }

    private static URL url(String entry) {
        try {
            return Path.of(entry).toUri().toURL();
        } catch (MalformedURLException wrong) {
            throw new IllegalArgumentException(wrong);
        }
    }

    /** Starts an application in a class loader of its own. */
    private static Supplier<?> deployed() throws ReflectiveOperationException {
        ClassLoader loader = loader(SERVER, "pomerium-jwt", "test-classes");
        return (Supplier<?>) loader.loadClass(Application.class.getName()).getConstructor().newInstance();
    }

    @Test
    void twoApplicationsAtTheSameTime() throws Exception {
        Supplier<?> one = deployed();
        Supplier<?> other = deployed();
        assertNotSame(one.getClass(), other.getClass());
        assertEquals("alice", one.get());
        assertEquals("alice", other.get());
        ((AutoCloseable) one).close();
        assertEquals("alice", other.get());
        ((AutoCloseable) other).close();
    }

    /**
     * An application that has closed its verifier leaves nothing that keeps its classes. Not so with JNA, which never lets
     * go of a class that it has given native methods.
     */
    @Test
    @Tag("new-java")
    @Timeout(50)
    void redeploysLeaveNothing() throws Exception {
        assumeTrue(Runtime.version().feature() >= 22, "this needs Java 22 or later");
        List<WeakReference<Object>> gone = new ArrayList<>();
        for (int round = 0; round < 5; round++) {
            Supplier<?> application = deployed();
            assertEquals("alice", application.get());
            ((AutoCloseable) application).close();
            gone.add(new WeakReference<>(application.getClass().getClassLoader()));
        }
        while (gone.stream().anyMatch(loader -> loader.get() != null)) {
            System.gc();
            Thread.sleep(20);
        }
    }
}
