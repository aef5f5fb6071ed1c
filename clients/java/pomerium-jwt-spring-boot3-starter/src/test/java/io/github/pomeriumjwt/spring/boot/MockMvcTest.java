package io.github.pomeriumjwt.spring.boot;

import example.ExampleApplication;
import io.github.pomeriumjwt.test.spring.PomeriumTest;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.autoconfigure.web.servlet.AutoConfigureMockMvc;

/** A test with MockMvc, as a user of this version of Spring Boot writes it. */
@Retention(RetentionPolicy.RUNTIME)
@SpringBootTest(classes = ExampleApplication.class, properties = "pomerium.jwt.exempt-paths=/open,/files/*")
@AutoConfigureMockMvc
@PomeriumTest
@interface MockMvcTest {}
