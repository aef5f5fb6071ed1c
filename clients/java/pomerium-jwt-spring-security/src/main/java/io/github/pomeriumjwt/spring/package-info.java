/**
 * Users behind Pomerium for Spring Security. {@link io.github.pomeriumjwt.servlet.PomeriumFilter} in front of Spring
 * Security's chain decides who gets in; what is here tells Spring Security who that is.
 */
@NullMarked
package io.github.pomeriumjwt.spring;

import org.jspecify.annotations.NullMarked;
