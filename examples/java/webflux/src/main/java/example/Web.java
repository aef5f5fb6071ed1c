package example;

import java.security.Principal;
import java.util.List;
import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.firewall.ServerWebExchangeFirewall;
import org.springframework.security.web.server.firewall.StrictServerWebExchangeFirewall;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.cors.reactive.CorsConfigurationSource;
import org.springframework.web.cors.reactive.UrlBasedCorsConfigurationSource;
import org.springframework.web.reactive.HandlerMapping;
import org.springframework.web.reactive.handler.SimpleUrlHandlerMapping;
import org.springframework.web.reactive.socket.WebSocketHandler;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;

/** What is not about Pomerium, and a WebSocket. */
@Configuration(proxyBeanMethods = false)
class Web {
    /** Browsers send no forms here: an application with forms keeps CSRF protection. */
    @Bean
    SecurityWebFilterChain security(ServerHttpSecurity http) {
        return http.csrf(csrf -> csrf.disable())
                .authorizeExchange(exchanges -> exchanges.anyExchange().permitAll()) // whom pomerium-jwt has let in
                .build();
    }

    /** This application answers every method. */
    @Bean
    ServerWebExchangeFirewall firewall() {
        StrictServerWebExchangeFirewall firewall = new StrictServerWebExchangeFirewall();
        firewall.setUnsafeAllowAnyHttpMethod(true);
        return firewall;
    }

    /** Under this name the starter puts it in front: it answers preflights, and browsers may read refusals too. */
    @Bean
    @ConditionalOnProperty("cors.origin")
    CorsConfigurationSource corsConfigurationSource(@Value("${cors.origin}") String origin) {
        CorsConfiguration configuration = new CorsConfiguration();
        configuration.setAllowedOrigins(List.of(origin));
        configuration.setAllowedMethods(List.of("GET", "DELETE"));
        configuration.setAllowedHeaders(List.of("Authorization"));
        UrlBasedCorsConfigurationSource source = new UrlBasedCorsConfigurationSource();
        source.registerCorsConfiguration("/**", configuration);
        return source;
    }

    /** Gives requests for one path another one: /from=/to. */
    @Bean
    @Order(Ordered.HIGHEST_PRECEDENCE)
    @ConditionalOnProperty("rewrite")
    WebFilter rewriting(@Value("${rewrite}") String rewrite) {
        String[] paths = rewrite.split("=");
        return (exchange, chain) -> {
            boolean isMeant = exchange.getRequest().getPath().value().equals(paths[0]);
            ServerWebExchange other = exchange.mutate().request(request -> request.path(paths[1])).build();
            return chain.filter(isMeant ? other : exchange);
        };
    }

    /** A WebSocket that says who has opened it. Its principal is empty if there is no user. */
    @Bean
    HandlerMapping webSockets() {
        WebSocketHandler handler = session -> session.send(session.getHandshakeInfo()
                .getPrincipal()
                .map(Principal::getName)
                .defaultIfEmpty("")
                .map(session::textMessage));
        return new SimpleUrlHandlerMapping(Map.of("/ws", handler), -1); // before this application's /**
    }
}
