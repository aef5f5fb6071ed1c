package io.github.pomeriumjwt.spring.reactive;

import com.sun.net.httpserver.HttpServer;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Serves the keys of an issuer, once it is told to: until then its answers hang. */
final class KeyServer implements AutoCloseable {
    private final PomeriumTestIssuer issuer = new PomeriumTestIssuer("127.0.0.1");
    private final AtomicInteger fetches = new AtomicInteger();
    private final CountDownLatch answers = new CountDownLatch(1);
    private final HttpServer server;

    KeyServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/.well-known/pomerium/jwks.json", exchange -> {
            fetches.incrementAndGet();
            try {
                answers.await();
            } catch (InterruptedException ended) {
                throw new IOException(ended);
            }
            byte[] body = issuer.keySet().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    PomeriumTestIssuer issuer() {
        return issuer;
    }

    int fetches() {
        return fetches.get();
    }

    void answer() {
        answers.countDown();
    }

    String route() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
        answer();
        server.stop(0);
    }
}
