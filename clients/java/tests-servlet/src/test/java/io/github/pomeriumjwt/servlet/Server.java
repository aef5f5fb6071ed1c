package io.github.pomeriumjwt.servlet;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.Servlet;
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.Wrapper;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.ErrorPage;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;

/** Tomcat with applications, and a client. */
final class Server implements AutoCloseable {
    final Tomcat tomcat = new Tomcat();
    private final HttpClient client = HttpClient.newHttpClient();

    Server() {
        tomcat.setBaseDir(new File(System.getProperty("java.io.tmpdir"), "pomerium-jwt-tests").getPath());
        tomcat.setPort(0);
        tomcat.setSilent(true);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
    }

    /** An application with its filters in their order. */
    Context add(String path, Map<String, ? extends Servlet> servlets, List<? extends Filter> filters) {
        return add(path, servlets, filters, context -> {});
    }

    /** An application with more, which starts at once if Tomcat runs. */
    Context add(
            String path, Map<String, ? extends Servlet> servlets, List<? extends Filter> filters, Consumer<Context> more) {
        StandardContext context = new StandardContext();
        context.setName(path);
        context.setPath(path);
        context.addLifecycleListener(new Tomcat.FixContextListener());
        context.setClearReferencesRmiTargets(false);
        int number = 0;
        for (Filter filter : filters) {
            FilterDef definition = new FilterDef();
            definition.setFilterName("filter" + number++);
            definition.setFilter(filter);
            definition.setAsyncSupported("true");
            map(context, definition);
        }
        servlets.forEach((pattern, servlet) -> {
            Wrapper wrapper = Tomcat.addServlet(context, pattern, servlet);
            wrapper.setAsyncSupported(true);
            context.addServletMappingDecoded(pattern, pattern);
        });
        ErrorPage page = new ErrorPage();
        page.setErrorCode(418);
        page.setLocation("/error");
        context.addErrorPage(page);
        more.accept(context);
        tomcat.getHost().addChild(context);
        return context;
    }

    static void map(Context context, FilterDef definition) {
        context.addFilterDef(definition);
        FilterMap everything = new FilterMap();
        everything.setFilterName(definition.getFilterName());
        everything.addURLPattern("/*");
        EnumSet.allOf(DispatcherType.class).forEach(dispatch -> everything.setDispatcher(dispatch.name()));
        context.addFilterMap(everything);
    }

    Server start() throws Exception {
        tomcat.start();
        return this;
    }

    HttpResponse<String> get(String path, String... headers) throws Exception {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + tomcat.getConnector().getLocalPort() + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    @Override
    public void close() throws LifecycleException {
        tomcat.stop();
        tomcat.destroy();
    }
}
