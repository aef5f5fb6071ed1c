package io.github.pomeriumjwt.servlet;

import static io.github.pomeriumjwt.test.PomeriumTestIssuer.HEADER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import jakarta.servlet.DispatcherType;
import jakarta.websocket.OnOpen;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerEndpoint;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.eclipse.jetty.ee11.servlet.FilterHolder;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.webapp.Configuration;
import org.eclipse.jetty.ee11.webapp.WebAppContext;
import org.eclipse.jetty.ee11.webapp.WebXmlConfiguration;
import org.eclipse.jetty.ee11.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.ee11.websocket.servlet.WebSocketUpgradeFilter;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jetty, which opens WebSockets in front of every filter. */
class JettyTest {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();

    /** Says who has opened it. */
    @ServerEndpoint("/ws")
    public static final class Socket {
        @OnOpen
        public void open(Session session) throws IOException {
            session.getBasicRemote().sendText(session.getUserPrincipal().getName());
        }
    }

    private static Server server(Verifier verifier, boolean webSocketsAfterwards) {
        return server(new ServletContextHandler(), verifier, webSocketsAfterwards);
    }

    private static Server server(ServletContextHandler context, Verifier verifier, boolean webSocketsAfterwards) {
        Server server = new Server(0);
        context.addFilter(new FilterHolder(PomeriumFilter.of(verifier)), "/*", EnumSet.allOf(DispatcherType.class));
        if (webSocketsAfterwards) {
            FilterHolder webSockets = new FilterHolder(new WebSocketUpgradeFilter());
            webSockets.setName(WebSocketUpgradeFilter.class.getName());
            context.addFilter(webSockets, "/*", EnumSet.of(DispatcherType.REQUEST));
        }
        JakartaWebSocketServletContainerInitializer.configure(
                context, (servletContext, container) -> container.addEndpoint(Socket.class));
        server.setHandler(context);
        return server;
    }

    @Test
    void theWrongOrderDoesNotStart() throws Exception {
        try (Verifier verifier = ISSUER.verifier()) {
            Server server = server(verifier, false);
            IllegalStateException wrong = assertThrows(IllegalStateException.class, server::start);
            assertTrue(wrong.getMessage().endsWith(WebSocketUpgradeFilter.class.getName()), wrong.getMessage());
            server.stop();
        }
    }

    @Test
    void theWrongOrderDoesNotStartInAWarEither(@TempDir Path folder) throws Exception {
        try (Verifier verifier = ISSUER.verifier()) {
            WebAppContext war = new WebAppContext();
            war.setBaseResourceAsPath(folder);
            // Not what Tomcat, which is on this class path too, would configure
            war.setConfigurations(new Configuration[] {new WebXmlConfiguration()});
            war.setDefaultsDescriptor(null);
            war.setClassLoader(JettyTest.class.getClassLoader());
            war.setThrowUnavailableOnStartupException(true);
            Server server = server(war, verifier, false);
            IllegalStateException wrong = assertThrows(IllegalStateException.class, server::start);
            assertTrue(wrong.getMessage().endsWith(WebSocketUpgradeFilter.class.getName()), wrong.getMessage());
            server.stop();
        }
    }

    @Test
    void theRightOneVerifiesHandshakes() throws Exception {
        try (Verifier verifier = ISSUER.verifier()) {
            Server server = server(verifier, true);
            server.start();
            URI url = URI.create("ws://127.0.0.1:" + ((ServerConnector) server.getConnectors()[0]).getLocalPort() + "/ws");
            CompletionException refused = assertThrows(CompletionException.class, () -> open(url, "x.y.z").join());
            assertEquals(401, ((WebSocketHandshakeException) refused.getCause()).getResponse().statusCode());
            assertEquals("alice", open(url, ISSUER.token()).join());
            server.stop();
        }
    }

    /** The first message. */
    private static CompletableFuture<String> open(URI url, String token) {
        CompletableFuture<String> first = new CompletableFuture<>();
        WebSocket.Listener listener = new WebSocket.Listener() {
            @Override
            public CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
                first.complete(text.toString());
                return null;
            }
        };
        return HttpClient.newHttpClient().newWebSocketBuilder().header(HEADER, token).buildAsync(url, listener)
                .thenCompose(opened -> first);
    }
}
