package example;

import io.github.pomeriumjwt.Verifier;

/**
 * A servlet application behind Pomerium. The environment says which one:
 * POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health PORT=8080 java -jar target/app.jar
 */
public final class Main {
    private Main() {}

    /** Starts the application on Tomcat, or on Jetty if the only argument says so. */
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
        Verifier verifier = Verifier.fromEnv();
        int listening = arguments.length == 0 ? OnTomcat.start(verifier, port) : OnJetty.start(verifier, port);
        System.out.println("http://127.0.0.1:" + listening);
    }
}
