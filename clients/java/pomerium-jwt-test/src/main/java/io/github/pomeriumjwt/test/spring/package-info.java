/**
 * For tests of Spring applications: real tokens, verified as in production. Begin with
 * {@link io.github.pomeriumjwt.test.spring.PomeriumTest}.
 */
@NullMarked
package io.github.pomeriumjwt.test.spring;

import org.jspecify.annotations.NullMarked;
