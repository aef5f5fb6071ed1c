/**
 * Reactive applications behind Pomerium (WebFlux): begin with
 * {@link io.github.pomeriumjwt.spring.reactive.PomeriumWebFilter}.
 */
@NullMarked
package io.github.pomeriumjwt.spring.reactive;

import org.jspecify.annotations.NullMarked;
