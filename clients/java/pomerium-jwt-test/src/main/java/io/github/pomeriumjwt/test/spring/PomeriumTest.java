package io.github.pomeriumjwt.test.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * On a test class with {@code @SpringBootTest}: the application believes the tokens of a test issuer, which is in the
 * context as a bean of type {@link io.github.pomeriumjwt.test.PomeriumTestIssuer}. Its route is
 * {@code https://app.example.com}; all other options stay the application's own. Requests without a token are refused, as
 * always; {@link WithPomeriumUser} and {@link PomeriumUser} bring one.
 *
 * <pre>{@code
 * @SpringBootTest
 * @AutoConfigureMockMvc
 * @PomeriumTest
 * class AdminTest {
 *     @Autowired MockMvc mvc;
 *
 *     @Test
 *     @WithPomeriumUser(groups = "admins")
 *     void adminsGetIn() throws Exception {
 *         mvc.perform(get("/admin")).andExpect(status().isOk());
 *     }
 * }
 * }</pre>
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface PomeriumTest {}
