package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.ErrorCode;
import io.github.pomeriumjwt.Status;
import io.github.pomeriumjwt.Verifier;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The verifier's counters and the age of its keys as meters. They hold no user, path or token. */
final class PomeriumMetrics implements MeterBinder {
    private final Verifier verifier;

    PomeriumMetrics(Verifier verifier) {
        this.verifier = verifier;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        // Not from the status: asking for it now would fetch keys while the application starts
        Stream<String> codes = Arrays.stream(ErrorCode.values()).map(ErrorCode::toString);
        Stream.concat(Stream.of("ok", "passed"), codes).forEach(code -> FunctionCounter.builder(
                        "pomerium.jwt.answers", verifier, of -> of.status().counts().getOrDefault(code, 0L))
                .tag("code", code)
                .description("Answers by their code: ok, passed, or why a request was refused")
                .register(registry));
        FunctionCounter.builder("pomerium.jwt.fetches", verifier, of -> of.status().fetches())
                .description("Fetches of keys that were started")
                .register(registry);
        FunctionCounter.builder("pomerium.jwt.fetch.failures", verifier, of -> of.status().fetchFailures())
                .description("Fetches of keys that failed")
                .register(registry);
        Gauge.builder("pomerium.jwt.keys", verifier, of -> usable(of.status()))
                .description("Usable keys")
                .register(registry);
        Gauge.builder("pomerium.jwt.keys.age", verifier, of -> seconds(of.status().age()))
                .description("Since the keys in use were asked for; NaN if they are not fetched")
                .baseUnit("seconds")
                .register(registry);
    }

    private static long usable(Status status) {
        return status.keys().stream().filter(Status.Key::usable).count();
    }

    private static double seconds(@Nullable Duration age) {
        return age == null ? Double.NaN : age.toMillis() / 1000.0;
    }
}
