package io.github.pomeriumjwt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the files of conformance/ hold, read by another reader than our own. */
final class Cases {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Cases() {}

    /** The lines of a file. The tests run in its folder. */
    static List<JsonNode> of(String file) {
        try {
            List<JsonNode> rows = new ArrayList<>();
            MAPPER.readTree(Path.of(file).toFile()).forEach(rows::add);
            return rows;
        } catch (IOException wrong) {
            throw new UncheckedIOException(wrong);
        }
    }

    static JsonNode read(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (IOException wrong) {
            throw new UncheckedIOException(wrong);
        }
    }

    /** A text that is written as a string, or as a list of parts and of pairs of a part and its repetitions. */
    static String joined(JsonNode written) {
        if (written.isTextual()) {
            return written.textValue();
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : written) {
            text.append(part.isTextual() ? part.textValue() : part.get(0).textValue().repeat(part.get(1).intValue()));
        }
        return text.toString();
    }

    /** The value as maps and lists, with numbers that compare by their value. */
    static Object plain(JsonNode node) {
        if (node.isObject()) {
            Map<String, Object> object = new LinkedHashMap<>();
            node.properties().forEach(member -> object.put(member.getKey(), plain(member.getValue())));
            return object;
        }
        if (node.isArray()) {
            List<Object> list = new ArrayList<>();
            node.forEach(entry -> list.add(plain(entry)));
            return list;
        }
        return node.isNumber() ? number(node.numberValue()) : node.isBoolean() ? node.booleanValue() : node.textValue();
    }

    /** The same of what our own reader has read. */
    static Object plain(Object value) {
        if (value instanceof Map<?, ?> object) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            object.forEach((name, member) -> copy.put(name, plain(member)));
            return copy;
        }
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>();
            list.forEach(entry -> copy.add(plain(entry)));
            return copy;
        }
        return value instanceof Number number ? number(number) : value;
    }

    private static BigDecimal number(Number number) {
        BigDecimal exact = new BigDecimal(number.toString()).stripTrailingZeros();
        return exact.signum() == 0 ? BigDecimal.ZERO : exact; // -0.0
    }
}
