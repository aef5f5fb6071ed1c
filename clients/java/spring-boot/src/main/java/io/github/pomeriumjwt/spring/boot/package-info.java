/** Spring Boot's auto-configuration: a dependency and {@code pomerium.jwt.route} protect an application. */
@NullMarked
package io.github.pomeriumjwt.spring.boot;

import org.jspecify.annotations.NullMarked;
