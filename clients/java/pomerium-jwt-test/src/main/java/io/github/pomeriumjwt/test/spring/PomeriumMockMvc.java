package io.github.pomeriumjwt.test.spring;

import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import org.jspecify.annotations.Nullable;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.security.core.Authentication;
import org.springframework.security.test.context.TestSecurityContextHolder;
import org.springframework.test.web.servlet.request.RequestPostProcessor;
import org.springframework.test.web.servlet.setup.ConfigurableMockMvcBuilder;
import org.springframework.test.web.servlet.setup.MockMvcConfigurer;
import org.springframework.web.context.WebApplicationContext;

/**
 * Has a MockMvc send the token of {@link WithPomeriumUser}. {@link PomeriumTest} applies it to the one that Spring Boot
 * makes; to one of your own: {@code MockMvcBuilders.webAppContextSetup(context).apply(new PomeriumMockMvc())}.
 */
public final class PomeriumMockMvc implements MockMvcConfigurer {
    /** For your own MockMvc. */
    public PomeriumMockMvc() {}

    @Override
    public RequestPostProcessor beforeMockMvcCreated(
            ConfigurableMockMvcBuilder<?> builder, @Nullable WebApplicationContext context) {
        return PomeriumMockMvc::withToken;
    }

    private static MockHttpServletRequest withToken(MockHttpServletRequest request) {
        Authentication user = TestSecurityContextHolder.getContext().getAuthentication();
        boolean hasToken = request.getHeader(PomeriumTestIssuer.HEADER) != null;
        if (!hasToken && user != null && user.getDetails() instanceof PomeriumUserContexts.Token token) {
            request.addHeader(PomeriumTestIssuer.HEADER, token.text());
        }
        return request;
    }
}
