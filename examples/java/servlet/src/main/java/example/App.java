package example;

import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.servlet.PomeriumFilter;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Set;

/** The application: knows who sent a request, because PomeriumFilter is in front of it. */
final class App extends HttpServlet {
    private static final long serialVersionUID = 1;

    private final transient Verifier verifier;

    App(Verifier verifier) {
        this.verifier = verifier;
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.setContentType("application/json");
        response.getOutputStream().write(answer(request).getBytes());
    }

    private String answer(HttpServletRequest request) {
        boolean isGet = Set.of("GET", "HEAD").contains(request.getMethod());
        return switch (isGet ? request.getServletPath() : "") {
            case "/" -> PomeriumFilter.identity(request).map(Identity::toJson).orElse("null");
            // What this throws is answered with 401 or 403
            case "/admin" -> PomeriumFilter.admission(request).requireGroup("admins").toJson();
            case "/health" -> verifier.health().toJson();
            default -> "{\"reached\":true,\"subject\":%s}".formatted(subject(request));
        };
    }

    private static String subject(HttpServletRequest request) {
        return PomeriumFilter.identity(request).map(identity -> '"' + identity.subject() + '"').orElse("null");
    }
}
