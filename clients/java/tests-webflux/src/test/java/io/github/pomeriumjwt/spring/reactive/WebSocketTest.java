package io.github.pomeriumjwt.spring.reactive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import example.App;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class WebSocketTest {
    /** The first message. */
    private static final class Message implements WebSocket.Listener {
        final CompletableFuture<String> text = new CompletableFuture<>();

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            text.complete(data.toString());
            return null;
        }
    }

    @Test
    void itOpensForUsersOnly() {
        PomeriumTestIssuer issuer = new PomeriumTestIssuer();
        try (Verifier verifier = Verifier.of(issuer.options().exemptPaths("/ws").build());
                Running application = Running.start(App.class, beans -> beans.registerBean(Verifier.class, () -> verifier))) {
            URI url = URI.create("ws://127.0.0.1:" + application.port("server") + "/ws");
            WebSocket.Builder client = HttpClient.newHttpClient().newWebSocketBuilder();
            CompletableFuture<WebSocket> stranger = client.buildAsync(url, new Message());
            Throwable refused = assertThrows(CompletionException.class, stranger::join).getCause();
            assertEquals(401, assertInstanceOf(WebSocketHandshakeException.class, refused).getResponse().statusCode());

            Message message = new Message();
            client.header(PomeriumTestIssuer.HEADER, issuer.token(Map.of("sub", "ada"))).buildAsync(url, message).join();
            assertEquals("ada", message.text.join());
        }
    }
}
