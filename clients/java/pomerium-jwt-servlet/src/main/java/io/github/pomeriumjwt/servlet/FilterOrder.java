package io.github.pomeriumjwt.servlet;

import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletContext;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Notices that Jetty opens WebSockets before it asks this filter. Jetty puts its WebSocketUpgradeFilter in front of all
 * others, and no interface of servlets tells the order: so this asks Jetty's own, by name.
 */
final class JettyOrder {
    private static final System.Logger LOGGER = System.getLogger("io.github.pomeriumjwt");

    private static final String JETTY = "org.eclipse.jetty.";

    private JettyOrder() {}

    /**
     * Refuses to start in the wrong order.
     *
     * @throws IllegalStateException in a sentence that says what to add
     */
    static void check(FilterConfig config) {
        ServletContext context = config.getServletContext();
        String name = context.getClass().getName();
        // org.eclipse.jetty.ee11.servlet.ServletContextHandler$..., of a war org.eclipse.jetty.ee11.webapp.WebAppContext$...
        int end = name.startsWith(JETTY) ? name.indexOf('.', JETTY.length()) : -1;
        if (end < 0) {
            return;
        }
        String environment = name.substring(0, end); // org.eclipse.jetty.ee10, and so on
        String webSockets = environment + ".websocket.servlet.WebSocketUpgradeFilter";
        List<String> order = order(context, environment);
        int opened = order.indexOf(webSockets);
        if (opened >= 0 && opened < order.indexOf(config.getFilterName())) {
            throw new IllegalStateException(
                    "Jetty opens WebSockets before PomeriumFilter is asked. Add Jetty's filter yourself, after "
                            + "PomeriumFilter: a filter with the class and the name " + webSockets);
        }
    }

    /** The names of the filters in the order in which their mappings apply; empty if Jetty does not tell. */
    private static List<String> order(ServletContext context, String environment) {
        try {
            Class<?> handlers = Class.forName(
                    environment + ".servlet.ServletContextHandler", true, context.getClass().getClassLoader());
            Object handler = handlers.getMethod("getServletContextHandler", ServletContext.class).invoke(null, context);
            Object servlets = handlers.getMethod("getServletHandler").invoke(handler);
            Object[] mappings = (Object[]) servlets.getClass().getMethod("getFilterMappings").invoke(servlets);
            return Arrays.stream(mappings).map(JettyOrder::filterName).filter(Objects::nonNull).toList();
        } catch (ReflectiveOperationException unknown) {
            LOGGER.log(
                    Level.WARNING,
                    "pomerium-jwt: cannot see whether Jetty asks PomeriumFilter before it opens WebSockets ("
                            + unknown + ")");
            return List.of();
        }
    }

    private static String filterName(Object mapping) {
        try {
            return (String) mapping.getClass().getMethod("getFilterName").invoke(mapping);
        } catch (ReflectiveOperationException unknown) {
            throw new IllegalStateException(unknown);
        }
    }
}
