package io.github.pomeriumjwt;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The members of an object that the library wrote, by their types. */
record Members(Map<String, @Nullable Object> object) {
    static Members read(String document) {
        return new Members(Json.readObject(document));
    }

    Set<String> names() {
        return object.keySet();
    }

    @Nullable Object get(String name) {
        return object.get(name);
    }

    private Object present(String name) {
        return Objects.requireNonNull(object.get(name), name);
    }

    String text(String name) {
        return (String) present(name);
    }

    @Nullable String orNull(String name) {
        return (String) object.get(name);
    }

    List<String> texts(String name) {
        return object.get(name) instanceof List<?> list ? list.stream().map(String.class::cast).toList() : List.of();
    }

    boolean flag(String name) {
        return (Boolean) present(name);
    }

    long number(String name) {
        return (Long) present(name);
    }

    @Nullable Duration seconds(String name) {
        return object.get(name) instanceof Long seconds ? Duration.ofSeconds(seconds) : null;
    }

    @Nullable Duration fraction(String name) {
        return object.get(name) instanceof Number seconds ? Duration.ofNanos((long) (seconds.doubleValue() * 1e9)) : null;
    }

    @Nullable Instant instant(String name) {
        return object.get(name) instanceof Long seconds ? Instant.ofEpochSecond(seconds) : null;
    }

    @SuppressWarnings("unchecked") // an object's members are values
    Optional<Members> object(String name) {
        return object.get(name) instanceof Map<?, ?> map
                ? Optional.of(new Members((Map<String, @Nullable Object>) map))
                : Optional.empty();
    }

    @SuppressWarnings("unchecked") // see object
    List<Members> objects(String name) {
        return ((List<?>) present(name)).stream().map(entry -> new Members((Map<String, @Nullable Object>) entry)).toList();
    }
}
