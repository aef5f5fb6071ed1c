package io.github.pomeriumjwt;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Options on their way to the core: strictly, so that no demand is lost. The core judges them. */
final class OptionValues {
    private final Map<String, Object> values = new LinkedHashMap<>();

    void text(String name, String value) {
        values.put(name, checked(name, value));
    }

    void file(String name, Path value) {
        text(name, Objects.requireNonNull(value, name).toString());
    }

    void list(String name, List<String> value) {
        values.put(name, checked(name, value));
    }

    void flag(String name, boolean value) {
        values.put(name, value);
    }

    void integer(String name, int value) {
        values.put(name, value);
    }

    void seconds(String name, Duration value) {
        if (Objects.requireNonNull(value, name).getNano() != 0) {
            throw new VerifyException(ErrorCode.INVALID_OPTIONS, name + ": takes whole seconds, not " + value);
        }
        values.put(name, value.getSeconds());
    }

    /** An object in JSON. */
    void document(String name, String value) {
        try {
            values.put(name, Json.readObject(Objects.requireNonNull(value, name)));
        } catch (IllegalArgumentException wrong) {
            throw new VerifyException(ErrorCode.INVALID_OPTIONS, name + ": takes a JWK Set, a JSON object: " + wrong.getMessage());
        }
    }

    void claims(String name, Map<String, List<String>> value) {
        Map<String, Object> demands = new LinkedHashMap<>();
        Objects.requireNonNull(value, name)
                .forEach((claim, accepted) -> demands.put(checked(name, claim), checked(name, accepted)));
        values.put(name, demands);
    }

    String toJson() {
        return Json.write(values);
    }

    private static List<String> checked(String name, List<String> value) {
        List<String> copy = new ArrayList<>();
        Objects.requireNonNull(value, name).forEach(entry -> copy.add(checked(name, entry)));
        return copy;
    }

    /** Another character would take the place of what cannot be written. */
    private static String checked(String name, String value) {
        if (!Json.isWellFormed(Objects.requireNonNull(value, name))) {
            throw new VerifyException(ErrorCode.INVALID_OPTIONS, name + ": takes text, not half of a surrogate pair");
        }
        return value;
    }
}
