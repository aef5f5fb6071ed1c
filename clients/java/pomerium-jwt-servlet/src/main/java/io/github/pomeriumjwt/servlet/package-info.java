/** A servlet filter for applications behind Pomerium: begin with {@link io.github.pomeriumjwt.servlet.PomeriumFilter}. */
@NullMarked
package io.github.pomeriumjwt.servlet;

import org.jspecify.annotations.NullMarked;
