package example;

import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.servlet.PomeriumFilter;
import jakarta.servlet.DispatcherType;
import java.util.EnumSet;
import java.util.Set;
import org.eclipse.jetty.ee11.servlet.FilterHolder;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.ee11.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.ee11.websocket.servlet.WebSocketUpgradeFilter;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.CrossOriginHandler;

/** The application on Jetty. */
final class OnJetty {
    private OnJetty() {}

    static int start(Verifier verifier, int port) throws Exception {
        Server server = new Server();
        HttpConfiguration http = new HttpConfiguration();
        http.setRequestHeaderSize(131_072); // room for a token with hundreds of groups: Jetty refuses headers above 8 KiB
        ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));
        connector.setHost("127.0.0.1");
        connector.setPort(port);
        server.addConnector(connector);

        ServletContextHandler context = new ServletContextHandler();
        context.addServlet(new ServletHolder(new App(verifier)), "/");
        EnumSet<DispatcherType> every = EnumSet.allOf(DispatcherType.class);
        String rewrite = System.getenv("REWRITE");
        if (rewrite != null) {
            context.addFilter(new FilterHolder(new Rewriting(rewrite)), "/*", every);
        }
        context.addFilter(new FilterHolder(PomeriumFilter.of(verifier)), "/*", every);
        // WebSockets come after it: Jetty puts this filter in front of all others unless it finds it, by this name
        FilterHolder webSockets = new FilterHolder(new WebSocketUpgradeFilter());
        webSockets.setName(WebSocketUpgradeFilter.class.getName());
        context.addFilter(webSockets, "/*", EnumSet.of(DispatcherType.REQUEST));
        JakartaWebSocketServletContainerInitializer.configure(
                context, (servletContext, container) -> container.addEndpoint(Socket.class));

        server.setHandler(withCors(context));
        server.start();
        return connector.getLocalPort();
    }

    /** In front of ours: it answers preflights, and lets browsers read refusals too. */
    private static Handler withCors(Handler application) {
        String origin = System.getenv("CORS_ORIGIN");
        if (origin == null) {
            return application;
        }
        CrossOriginHandler cors = new CrossOriginHandler();
        cors.setAllowedOriginPatterns(Set.of(origin.replace(".", "\\.")));
        cors.setAllowedMethods(Set.of("GET", "DELETE"));
        cors.setAllowedHeaders(Set.of("Authorization"));
        cors.setHandler(application);
        return cors;
    }
}
