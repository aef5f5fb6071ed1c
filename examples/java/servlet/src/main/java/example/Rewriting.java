package example;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Gives requests for one path another one, as REWRITE says: /from=/to. */
final class Rewriting extends HttpFilter {
    private static final long serialVersionUID = 1;

    private final String[] paths;

    Rewriting(String rewrite) {
        paths = rewrite.split("=");
    }

    @Override
    protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (request.getRequestURI().equals(paths[0])) {
            request.getRequestDispatcher(paths[1]).forward(request, response);
        } else {
            chain.doFilter(request, response);
        }
    }
}
