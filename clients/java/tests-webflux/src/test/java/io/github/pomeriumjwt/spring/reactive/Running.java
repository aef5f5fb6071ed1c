package io.github.pomeriumjwt.spring.reactive;

import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.http.client.ReactorResourceFactory;

/** An application that runs on Netty. */
final class Running implements AutoCloseable {
    /** Longer than anything takes: an answer that does not come is a failure. */
    private static final Duration FOR_EVER = Duration.ofMinutes(2);

    final ConfigurableApplicationContext context;

    private Running(ConfigurableApplicationContext context) {
        this.context = context;
    }

    static Running start(Class<?> application, String... properties) {
        return start(application, beans -> {}, properties);
    }

    /** With beans of the application's own. */
    static Running start(
            Class<?> application, ApplicationContextInitializer<GenericApplicationContext> beans, String... properties) {
        // Not Netty's global threads, which end with the first application that ends
        ApplicationContextInitializer<GenericApplicationContext> threads = context ->
                context.registerBean(ReactorResourceFactory.class, Running::threads);
        List<String> arguments = new ArrayList<>(List.of("--server.port=0", "--server.shutdown=immediate"));
        List.of(properties).forEach(property -> arguments.add("--" + property));
        return new Running(new SpringApplicationBuilder(application).initializers(threads, beans).run(arguments.toArray(String[]::new)));
    }

    private static ReactorResourceFactory threads() {
        ReactorResourceFactory threads = new ReactorResourceFactory();
        threads.setUseGlobalResources(false);
        threads.setShutdownQuietPeriod(Duration.ZERO);
        return threads;
    }

    /** The threads of the server. */
    EventLoopGroup eventLoops() {
        return context.getBean(ReactorResourceFactory.class).getLoopResources().onServer(true);
    }

    int port(String name) {
        return context.getEnvironment().getRequiredProperty("local." + name + ".port", Integer.class);
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port("server") + path));
    }

    HttpResponse<String> get(String path, String... headers) throws Exception {
        return send(request(path), headers);
    }

    static HttpResponse<String> send(HttpRequest.Builder request, String... headers) throws Exception {
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        // A connection for each request: Reactor Netty may stop reading from one that it has answered (its issues 4188, 4361)
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        return client.send(request.timeout(FOR_EVER).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** The answer to a request that no client would write. */
    String raw(String target, String... lines) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port("server"))) {
            String head = "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
            String rest = lines.length == 0 ? "" : String.join("\r\n", lines) + "\r\n";
            socket.getOutputStream().write((head + rest + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    static String[] as(String token) {
        return new String[] {PomeriumTestIssuer.HEADER, token};
    }

    @Override
    public void close() {
        context.close();
    }
}
