package io.github.pomeriumjwt.test.spring;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.MapPropertySource;
import org.springframework.test.context.ContextConfigurationAttributes;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.ContextCustomizerFactory;
import org.springframework.test.context.MergedContextConfiguration;
import org.springframework.test.context.TestContextAnnotationUtils;
import org.springframework.test.web.servlet.setup.ConfigurableMockMvcBuilder;

/** Does what {@link PomeriumTest} says. Spring knows it by META-INF/spring.factories. */
final class PomeriumTestCustomizers implements ContextCustomizerFactory {
    /** What a test replaces: whom to believe. Empty is not set. */
    private static final List<String> REPLACED = List.of(
            "issuer", "audience", "jwks-url", "jwks-file", "public-key", "public-key-file", "jwks-initial", "trust-on-first-use");

    /** For Spring. */
    PomeriumTestCustomizers() {}

    @Override
    public @Nullable ContextCustomizer createContextCustomizer(
            Class<?> testClass, List<ContextConfigurationAttributes> attributes) {
        return TestContextAnnotationUtils.hasAnnotation(testClass, PomeriumTest.class) ? new Customizer() : null;
    }

    /** Equal to each other, so that tests share their contexts. */
    private record Customizer() implements ContextCustomizer {
        @Override
        public void customizeContext(ConfigurableApplicationContext context, MergedContextConfiguration configuration) {
            context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("pomeriumTest", properties()));
            context.getBeanFactory().registerSingleton("pomeriumTestIssuer", PomeriumUser.ISSUER);
            context.getBeanFactory().addBeanPostProcessor(new BeanPostProcessor() {
                @Override
                public Object postProcessBeforeInitialization(Object bean, String name) {
                    if (bean instanceof ConfigurableMockMvcBuilder<?> builder) {
                        builder.apply(new PomeriumMockMvc());
                    }
                    return bean;
                }
            });
        }

        private static Map<String, Object> properties() {
            Stream<Map.Entry<String, String>> replaced = REPLACED.stream().map(name -> Map.entry(name, ""));
            Stream<Map.Entry<String, String>> issuer = Stream.of(
                    Map.entry("route", "https://" + PomeriumUser.ISSUER.host()),
                    Map.entry("jwks", PomeriumUser.ISSUER.keySet()));
            return Stream.concat(replaced, issuer)
                    .collect(Collectors.toMap(entry -> "pomerium.jwt." + entry.getKey(), Map.Entry::getValue));
        }
    }
}
