package minimal;

import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.spring.reactive.PomeriumWebFilter;
import java.security.Principal;
import java.util.Map;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.ResponseCookie;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.config.annotation.method.configuration.EnableReactiveMethodSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What a new user writes: no settings of Spring Security, and nothing about Pomerium but who is asking. */
@SpringBootApplication
@EnableReactiveMethodSecurity
@RestController
public class Minimal {
    @GetMapping("/")
    Identity index(@AuthenticationPrincipal Identity identity) {
        return identity;
    }

    @PostMapping("/")
    Identity post(@AuthenticationPrincipal Identity identity) {
        return identity;
    }

    @GetMapping("/who")
    Mono<Map<String, Object>> who(Mono<Principal> principal, Authentication authentication) {
        return principal.map(user -> Map.of(
                "principal", user.getName(),
                "authorities", authentication.getAuthorities().stream().map(Object::toString).toList()));
    }

    @GetMapping("/role")
    @PreAuthorize("hasRole('admins')")
    public Mono<String> role() {
        return Mono.just("role");
    }

    @GetMapping("/group")
    Identity group(ServerWebExchange exchange) {
        exchange.getResponse().getHeaders().add("X-Secret", "of admins");
        exchange.getResponse().addCookie(ResponseCookie.from("secret", "of-admins").build());
        return PomeriumWebFilter.admission(exchange).requireGroup("admins");
    }

    /** A refusal that somebody has wrapped. */
    @GetMapping("/wrapped")
    Mono<String> wrapped(ServerWebExchange exchange) {
        return Mono.fromCallable(() -> PomeriumWebFilter.admission(exchange).requireGroup("admins").email())
                .onErrorMap(thrown -> new IllegalStateException("wrapped: " + thrown.getMessage(), thrown));
    }

    /** A refusal that comes after the beginning of the answer. */
    @GetMapping("/late")
    Flux<String> late(ServerWebExchange exchange) {
        return Flux.just("begun").concatWith(
                Mono.fromCallable(() -> PomeriumWebFilter.admission(exchange).requireGroup("admins").email()));
    }

    @GetMapping("/broken")
    String broken() {
        throw new IllegalArgumentException("broken");
    }

    @GetMapping("/open")
    Map<String, Object> open(@AuthenticationPrincipal Identity identity, ServerWebExchange exchange) {
        return Map.of("user", identity != null, "identity", PomeriumWebFilter.identity(exchange).isPresent());
    }

    @Bean
    RouterFunction<ServerResponse> functions() {
        return RouterFunctions.route().GET("/function", request -> ServerResponse.ok().bodyValue("function")).build();
    }
}
