package io.github.pomeriumjwt.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import example.ExampleApplication;
import io.github.pomeriumjwt.Guard;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.servlet.PomeriumFilter;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import jakarta.servlet.DispatcherType;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.Ordered;

/** An application that registers the filter itself, and leaves something out: what nobody has judged is refused. */
class OwnRegistrationTest {
    private static final PomeriumTestIssuer ISSUER = new PomeriumTestIssuer();
    private static final List<String> REFUSED = new CopyOnWriteArrayList<>();

    /** Its type says which filter it is for. */
    private static final class Mine extends FilterRegistrationBean<PomeriumFilter> {
        Mine(Verifier verifier, Consumer<Mine> settings) {
            super(PomeriumFilter.of(verifier));
            setOrder(Ordered.HIGHEST_PRECEDENCE);
            settings.accept(this);
        }
    }

    /** An application with Actuator on a port of its own, with the filter registered as told. */
    private static ConfigurableApplicationContext start(Verifier verifier, Consumer<Mine> settings) {
        return new SpringApplicationBuilder(ExampleApplication.class)
                .initializers(context -> {
                    GenericApplicationContext beans = (GenericApplicationContext) context;
                    beans.registerBean(Verifier.class, () -> verifier);
                    beans.registerBean(Mine.class, () -> new Mine(verifier, settings));
                    beans.registerBean(Guard.OnRefused.class, () -> (refusal, path) -> REFUSED.add(path));
                })
                .run("--server.port=0", "--management.server.port=0", "--management.endpoints.web.exposure.include=*");
    }

    /** The status of the answer, without a token and with one. */
    private static String statuses(ConfigurableApplicationContext application, String port, String path) throws Exception {
        URI url = URI.create("http://127.0.0.1:" + application.getEnvironment().getProperty(port) + path);
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest without = HttpRequest.newBuilder(url).build();
        HttpRequest with = HttpRequest.newBuilder(url).header(PomeriumTestIssuer.HEADER, ISSUER.token()).build();
        return client.send(without, HttpResponse.BodyHandlers.discarding()).statusCode() + " "
                + client.send(with, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    @Test
    void whatItLeavesOutIsRefused() throws Exception {
        try (Verifier verifier = ISSUER.verifier();
                ConfigurableApplicationContext application = start(verifier, filter -> filter.addUrlPatterns("/who"))) {
            assertEquals("401 200", statuses(application, "local.server.port", "/who"));
            assertEquals("403 403", statuses(application, "local.server.port", "/"));
            assertEquals("403 403", statuses(application, "local.server.port", "/error"));
            assertEquals("401 200", statuses(application, "local.management.port", "/actuator/env"));
            assertEquals(List.of("/actuator/env"), REFUSED);
        }
    }

    @Test
    void neitherOrderNorDispatchNorSwitchOpensAnything() throws Exception {
        List<Consumer<Mine>> wrong = List.of(
                filter -> filter.setOrder(Ordered.LOWEST_PRECEDENCE),
                filter -> filter.setDispatcherTypes(DispatcherType.FORWARD),
                filter -> filter.setEnabled(false));
        for (Consumer<Mine> setting : wrong) {
            try (Verifier verifier = ISSUER.verifier();
                    ConfigurableApplicationContext application = start(verifier, setting)) {
                assertEquals("403 403", statuses(application, "local.server.port", "/who"));
            }
        }
    }
}
