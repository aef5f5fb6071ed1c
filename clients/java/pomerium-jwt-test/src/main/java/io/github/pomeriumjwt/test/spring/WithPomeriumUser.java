package io.github.pomeriumjwt.test.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.security.test.context.support.WithSecurityContext;

/**
 * Runs a test as a user whom Pomerium has signed in. Spring Security's context holds the user, so that methods with
 * {@code @PreAuthorize} can be called, and MockMvc sends the user's token with each request that has none. For tests with
 * {@link PomeriumTest}.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
@WithSecurityContext(factory = PomeriumUserContexts.class)
public @interface WithPomeriumUser {
    /** The subject. E-mail address and name follow from it. */
    String value() default "alice";

    /** The groups of the user. */
    String[] groups() default {};
}
