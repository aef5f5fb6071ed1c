package io.github.pomeriumjwt.servlet;

import jakarta.servlet.FilterConfig;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletContext;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;

/**
 * Notices that the container opens WebSockets before it asks this filter. Jetty puts its own filter for them in front of all
 * others; Tomcat does so if this filter is registered with {@code isMatchAfter}. No interface of servlets tells the order,
 * so this asks Jetty's and Tomcat's own, by name.
 */
final class FilterOrder {
    private static final System.Logger LOGGER = System.getLogger("io.github.pomeriumjwt");

    private static final String JETTY = "org.eclipse.jetty.";

    private static final String TOMCAT = "org.apache.catalina.";

    private FilterOrder() {}

    /**
     * Refuses to start in the wrong order.
     *
     * @throws IllegalStateException in a sentence that says what to change
     */
    static void check(FilterConfig config) {
        ServletContext context = config.getServletContext();
        String container = context.getClass().getName();
        try {
            if (container.startsWith(JETTY)) {
                checkJetty(context, config.getFilterName());
            } else if (container.startsWith(TOMCAT)) {
                checkTomcat(context, config.getFilterName());
            }
        } catch (ReflectiveOperationException unknown) {
            LOGGER.log(
                    Level.WARNING,
                    "pomerium-jwt: cannot see whether the container asks PomeriumFilter before it opens WebSockets ("
                            + unknown + ")");
        }
    }

    private static void checkJetty(ServletContext context, String ours) throws ReflectiveOperationException {
        // org.eclipse.jetty.ee11.servlet.ServletContextHandler$..., of a war org.eclipse.jetty.ee11.webapp.WebAppContext$...
        String name = context.getClass().getName();
        int end = name.indexOf('.', JETTY.length());
        if (end < 0) {
            return;
        }
        String environment = name.substring(0, end); // org.eclipse.jetty.ee10, and so on
        String webSockets = environment + ".websocket.servlet.WebSocketUpgradeFilter";
        Class<?> handlers = type(context, environment + ".servlet.ServletContextHandler");
        Object handler = handlers.getMethod("getServletContextHandler", ServletContext.class).invoke(null, context);
        Object servlets = handlers.getMethod("getServletHandler").invoke(handler);
        Object[] mappings = (Object[]) servlets.getClass().getMethod("getFilterMappings").invoke(servlets);
        if (isBehind(names(mappings), ours, webSockets)) {
            throw new IllegalStateException(
                    "Jetty opens WebSockets before PomeriumFilter is asked. Add Jetty's filter yourself, after "
                            + "PomeriumFilter: a filter with the class and the name " + webSockets);
        }
    }

    private static void checkTomcat(ServletContext context, String ours) throws ReflectiveOperationException {
        Object resources = context.getAttribute(TOMCAT + "resources");
        if (resources == null) {
            throw new ReflectiveOperationException("no " + TOMCAT + "resources");
        }
        Object application = type(context, TOMCAT + "WebResourceRoot").getMethod("getContext").invoke(resources);
        Object[] mappings = (Object[]) type(context, TOMCAT + "Context").getMethod("findFilterMaps").invoke(application);
        // Those of URLs apply first, whatever the order
        List<Object> ofUrls = new ArrayList<>();
        for (Object mapping : mappings) {
            if (((String[]) mapping.getClass().getMethod("getURLPatterns").invoke(mapping)).length > 0) {
                ofUrls.add(mapping);
            }
        }
        if (isBehind(names(ofUrls.toArray()), ours, tomcatsWebSockets(context))) {
            throw new IllegalStateException(
                    "Tomcat opens WebSockets before PomeriumFilter is asked. Map it to /*, and in code with isMatchAfter=false: "
                            + "addMappingForUrlPatterns(EnumSet.allOf(DispatcherType.class), false, \"/*\")");
        }
    }

    /** The name of the filter that opens them; empty without one. */
    private static String tomcatsWebSockets(ServletContext context) {
        return context.getFilterRegistrations().values().stream()
                .filter(filter -> "org.apache.tomcat.websocket.server.WsFilter".equals(filter.getClassName()))
                .map(FilterRegistration::getName)
                .findFirst()
                .orElse("");
    }

    private static boolean isBehind(List<String> order, String ours, String webSockets) {
        int opened = order.indexOf(webSockets);
        int asked = order.indexOf(ours);
        return opened >= 0 && (asked < 0 || opened < asked);
    }

    /** The names of the filters in the order in which their mappings apply. */
    private static List<String> names(Object[] mappings) throws ReflectiveOperationException {
        List<String> names = new ArrayList<>();
        for (Object mapping : mappings) {
            names.add((String) mapping.getClass().getMethod("getFilterName").invoke(mapping));
        }
        return names;
    }

    private static Class<?> type(ServletContext context, String name) throws ClassNotFoundException {
        return Class.forName(name, true, context.getClass().getClassLoader());
    }
}
