package example;

import io.github.pomeriumjwt.Health;
import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.spring.reactive.PomeriumWebFilter;
import java.util.HashMap;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;

/**
 * A reactive application behind Pomerium. The environment says which one:
 * POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health PORT=8080 java -jar target/app.jar
 */
@SpringBootApplication
@RestController
public class App {
    private final Verifier verifier;

    App(Verifier verifier) {
        this.verifier = verifier;
    }

    /** Starts the application. */
    public static void main(String[] arguments) {
        SpringApplication.run(App.class, arguments);
    }

    /** The identity is null if the request got in without a token. As text, because Spring sends nothing at all for null. */
    @GetMapping(path = "/", produces = "application/json")
    String index(@RequestAttribute(name = PomeriumWebFilter.ATTRIBUTE, required = false) Identity identity) {
        return identity == null ? "null" : identity.toJson();
    }

    /** What requireGroup throws is answered with 401 or 403. */
    @GetMapping("/admin")
    Identity admin(ServerWebExchange exchange) {
        return PomeriumWebFilter.admission(exchange).requireGroup("admins");
    }

    @GetMapping("/health")
    Health health() {
        return verifier.health();
    }

    @RequestMapping("/**")
    Map<String, Object> anything(@RequestAttribute(name = PomeriumWebFilter.ATTRIBUTE, required = false) Identity identity) {
        Map<String, Object> answer = new HashMap<>(Map.of("reached", true));
        answer.put("subject", identity == null ? null : identity.subject());
        return answer;
    }

    /** Spring answers OPTIONS by itself unless it is named. */
    @RequestMapping(path = "/**", method = RequestMethod.OPTIONS)
    Map<String, Object> options(@RequestAttribute(name = PomeriumWebFilter.ATTRIBUTE, required = false) Identity identity) {
        return anything(identity);
    }

    @EventListener
    void ready(ApplicationReadyEvent event) {
        String port = event.getApplicationContext().getEnvironment().getProperty("local.server.port");
        System.out.println("http://127.0.0.1:" + port);
    }
}
