package example;

import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.servlet.PomeriumFilter;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import java.io.File;
import java.util.EnumSet;
import java.util.Set;
import org.apache.catalina.Context;
import org.apache.catalina.filters.CorsFilter;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.apache.tomcat.websocket.server.WsSci;

/** The application on Tomcat. */
final class OnTomcat {
    private OnTomcat() {}

    static int start(Verifier verifier, int port) throws Exception {
        // Tomcat logs header lines that it cannot read, tokens included, unless told not to
        System.setProperty("org.apache.juli.logging.UserDataHelper.CONFIG", "NONE");
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(System.getProperty("java.io.tmpdir"));
        tomcat.setHostname("127.0.0.1");
        tomcat.setPort(port);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        // Room for a token with hundreds of groups: Tomcat refuses headers above 8 KiB
        tomcat.getConnector().setProperty("maxHttpRequestHeaderSize", "131072");

        Context context = tomcat.addContext("", new File(".").getAbsolutePath());
        String origin = System.getenv("CORS_ORIGIN");
        if (origin != null) { // in front of ours: it answers preflights, and lets browsers read refusals too
            FilterDef cors = add(context, "cors", new CorsFilter());
            cors.addInitParameter(CorsFilter.PARAM_CORS_ALLOWED_ORIGINS, origin);
            cors.addInitParameter(CorsFilter.PARAM_CORS_ALLOWED_METHODS, "GET,DELETE");
            cors.addInitParameter(CorsFilter.PARAM_CORS_ALLOWED_HEADERS, "Authorization");
        }
        String rewrite = System.getenv("REWRITE");
        if (rewrite != null) {
            add(context, "rewrite", new Rewriting(rewrite));
        }
        add(context, "pomerium", PomeriumFilter.of(verifier));

        Tomcat.addServlet(context, "app", new App(verifier));
        context.addServletMappingDecoded("/", "app");
        context.addServletContainerInitializer(new WsSci(), Set.of(Socket.class));
        tomcat.start();
        return tomcat.getConnector().getLocalPort();
    }

    /** Filters run in the order in which they are added. Ours is for every path and every dispatch. */
    private static FilterDef add(Context context, String name, Filter filter) {
        FilterDef definition = new FilterDef();
        definition.setFilterName(name);
        definition.setFilter(filter);
        definition.setAsyncSupported("true");
        context.addFilterDef(definition);
        FilterMap everything = new FilterMap();
        everything.setFilterName(name);
        everything.addURLPattern("/*");
        EnumSet.allOf(DispatcherType.class).forEach(dispatch -> everything.setDispatcher(dispatch.name()));
        context.addFilterMap(everything);
        return definition;
    }
}
