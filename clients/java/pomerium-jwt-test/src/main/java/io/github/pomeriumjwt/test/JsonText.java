package io.github.pomeriumjwt.test;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes claims as JSON. */
final class JsonText {
    private final StringBuilder text = new StringBuilder();

    private JsonText() {}

    static String of(@Nullable Object value) {
        JsonText written = new JsonText();
        written.write(value);
        return written.text.toString();
    }

    private void write(@Nullable Object value) {
        if (value instanceof String string) {
            quote(string);
        } else if (value instanceof Map<?, ?> object) {
            write(object);
        } else if (value instanceof Iterable<?> list) {
            write(list);
        } else if (value instanceof Instant instant) {
            text.append(instant.getEpochSecond());
        } else if (value == null || value instanceof Boolean || value instanceof Number) {
            text.append(value);
        } else {
            throw new IllegalArgumentException("a claim cannot be a " + value.getClass().getName());
        }
    }

    private void write(Map<?, ?> object) {
        String separator = "{";
        for (Map.Entry<?, ?> member : object.entrySet()) {
            text.append(separator);
            quote((String) member.getKey());
            text.append(':');
            write(member.getValue());
            separator = ",";
        }
        text.append(object.isEmpty() ? "{}" : "}");
    }

    private void write(Iterable<?> list) {
        text.append('[');
        String separator = "";
        for (Object entry : list) {
            text.append(separator);
            write(entry);
            separator = ",";
        }
        text.append(']');
    }

    private void quote(String string) {
        text.append('"');
        string.chars().forEach(next -> {
            if (next == '"' || next == '\\') {
                text.append('\\').append((char) next);
            } else if (next < ' ' || Character.isSurrogate((char) next)) {
                text.append("\\u%04x".formatted(next)); // half of a pair stays what it is, for the verifier to refuse
            } else {
                text.append((char) next);
            }
        });
        text.append('"');
    }
}
