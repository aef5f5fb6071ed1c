package io.github.pomeriumjwt.servlet;

import static io.github.pomeriumjwt.test.PomeriumTestIssuer.HEADER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;

import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.catalina.Context;
import org.apache.catalina.loader.ParallelWebappClassLoader;
import org.apache.catalina.loader.WebappLoader;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** Web applications in one Tomcat, each with its own copy of the jars: at the same time, and one after the other. */
class RedeployTest {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();

    /** Of the server, as in WEB-INF/web.xml: the class of the filter is the application's. */
    @SuppressWarnings("serial")
    private static final class Who extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            response.getWriter().write(String.valueOf(request.getRemoteUser()));
        }
    }

    /** The jars of this project alone; everything else is the server's. */
    private static URLClassLoader jars() {
        URL[] urls = Arrays.stream(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
                .filter(entry -> entry.contains("pomerium-jwt") && entry.endsWith(".jar"))
                .map(RedeployTest::url)
                .toArray(URL[]::new);
        return new OwnFirst(urls, RedeployTest.class.getClassLoader());
    }

    private static URL url(String entry) {
        try {
            return Path.of(entry).toUri().toURL();
        } catch (MalformedURLException wrong) {
            throw new IllegalArgumentException(wrong);
        }
    }

    /** As a web application's loader: its own classes come before the server's. */
    private static final class OwnFirst extends URLClassLoader {
        OwnFirst(URL[] urls, ClassLoader parent) {
            super(urls, parent);
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                if (loaded == null && name.startsWith("io.github.pomeriumjwt.")) {
                    loaded = findClass(name);
                }
                return loaded != null ? loaded : super.loadClass(name, resolve);
            }
        }
    }

    private static Context deploy(Server server, String path, ClassLoader loader) {
        return server.add(path, Map.of("/", new Who()), List.of(), context -> {
            WebappLoader webapp = new WebappLoader();
            webapp.setLoaderInstance(new ParallelWebappClassLoader(loader));
            context.setLoader(webapp);
            FilterDef filter = new FilterDef();
            filter.setFilterName("pomerium");
            filter.setFilterClass("io.github.pomeriumjwt.servlet.PomeriumFilter");
            filter.addInitParameter(PomeriumFilter.OPTIONS_PARAMETER, ISSUER.options().build().toJson());
            Server.map(context, filter);
        });
    }

    private static String ask(Server server, String path) throws Exception {
        return server.get(path, HEADER, ISSUER.token()).body();
    }

    @Test
    void twoAtTheSameTime() throws Exception {
        try (Server server = new Server(); URLClassLoader one = jars(); URLClassLoader other = jars()) {
            Context first = deploy(server, "/one", one);
            deploy(server, "/other", other);
            server.start();
            assertNotSame(one.loadClass(PomeriumFilter.class.getName()), other.loadClass(PomeriumFilter.class.getName()));
            assertEquals("alice alice", ask(server, "/one/") + " " + ask(server, "/other/"));
            assertEquals(401, server.get("/one/").statusCode());
            first.stop();
            assertEquals("alice", ask(server, "/other/"));
        }
    }

    /** With JNA an application's classes stay: it never lets go of a class that it has given native methods. */
    @Test
    @EnabledForJreRange(min = JRE.JAVA_22)
    @Timeout(60)
    void redeploysLeaveNothing() throws Exception {
        try (Server server = new Server().start()) {
            List<WeakReference<ClassLoader>> gone = new ArrayList<>();
            for (int round = 0; round < 4; round++) {
                gone.add(deployedAndUndeployed(server));
            }
            while (gone.stream().anyMatch(loader -> loader.get() != null)) {
                System.gc();
                Thread.sleep(20);
            }
        }
    }

    private static WeakReference<ClassLoader> deployedAndUndeployed(Server server) throws Exception {
        try (URLClassLoader loader = jars()) {
            Context context = deploy(server, "/app", loader);
            assertEquals("alice", ask(server, "/app/"));
            assertEquals(401, server.get("/app/").statusCode());
            server.tomcat.getHost().removeChild(context);
            return new WeakReference<>(loader);
        }
    }
}
