package example;

import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.servlet.PomeriumFilter;
import jakarta.servlet.http.HttpServletRequest;
import java.security.Principal;
import java.util.Map;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** What a new user writes: nothing about Pomerium but who is asking. */
@SpringBootApplication
@EnableMethodSecurity
@RestController
public class ExampleApplication {
    @GetMapping("/")
    Identity index(@AuthenticationPrincipal Identity identity) {
        return identity;
    }

    @PostMapping("/")
    Identity post(@AuthenticationPrincipal Identity identity) {
        return identity;
    }

    @GetMapping("/who")
    Map<String, Object> who(Principal principal, Authentication authentication, HttpServletRequest request) {
        return Map.of(
                "principal", principal.getName(),
                "authorities", authentication.getAuthorities().stream().map(Object::toString).toList(),
                "role", request.isUserInRole("admins"));
    }

    @GetMapping("/role")
    @PreAuthorize("hasRole('admins')")
    public String role() {
        return "role";
    }

    @GetMapping("/group")
    Identity group(HttpServletRequest request) {
        return PomeriumFilter.admission(request).requireGroup("admins");
    }

    @GetMapping("/open")
    Map<String, Object> open(Authentication authentication, HttpServletRequest request) {
        return Map.of(
                "authenticated", authentication != null && authentication.isAuthenticated(),
                "identity", PomeriumFilter.identity(request).isPresent());
    }
}
