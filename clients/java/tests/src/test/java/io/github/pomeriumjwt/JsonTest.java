package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The reader, also with what the core would never hand to it. */
class JsonTest {
    @Test
    void values() {
        assertEquals(Arrays.asList(1L, "a", null, true, false, Map.of(), List.of()), Json.read(" [1,\"a\",null,true,\tfalse,{ },[ ]]\r\n"));
        assertEquals(Map.of("a", Map.of("b", List.of(0L))), Json.read("{\"a\" : {\"b\":[0]}}"));
        assertEquals("\"\\/\b\f\n\r\t\u00e9\ud83d\ude00\u007f", Json.read("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\u007f\""));
    }

    @Test
    void numbers() {
        assertEquals(Long.MAX_VALUE, Json.read("9223372036854775807"));
        assertEquals(Long.MIN_VALUE, Json.read("-9223372036854775808"));
        assertEquals(new BigInteger("9223372036854775808"), Json.read("9223372036854775808"));
        assertEquals(new BigInteger("-9223372036854775809"), Json.read("-9223372036854775809"));
        assertEquals(1.5, Json.read("1.5"));
        assertEquals(-100.0, Json.read("-1E+2"));
        assertEquals(0.01, Json.read("1e-2"));
        assertEquals(0.0, Json.read("1e-999"));
        assertEquals(0L, Json.read("-0"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", " ", "{", "[", "\"", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "[1 2]", "{\"a\":1 \"b\":2}",
        "nul", "nulls", "True", "NaN", "Infinity", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1e999", "'a'", "1 2", "[]]", "\ufeff1",
        "\"\u0001\"", "\"\n\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u\uff11234\"", "\"\\ud800\"", "\"\\ude00\\ud83d\"",
        "\"\ud800\"", "{\"a\":1,\"\\u0061\":2}", "//", "/**/1", "\u00a01", "\f1", "[\u0661]",
    })
    void whatIsNotStrictJson(String text) {
        assertThrows(IllegalArgumentException.class, () -> Json.read(text));
    }

    @Test
    void depth() {
        Json.read("[".repeat(64) + "]".repeat(64));
        assertThrows(IllegalArgumentException.class, () -> Json.read("[".repeat(65) + "]".repeat(65)));
        assertThrows(IllegalArgumentException.class, () -> Json.read("{\"a\":".repeat(100_000)));
    }

    @Test
    void anObjectIsDemanded() {
        assertThrows(IllegalArgumentException.class, () -> Json.readObject("[]"));
        assertThrows(IllegalArgumentException.class, () -> Json.readObject("null"));
    }

    @Test
    void writing() {
        Map<String, Object> value = new java.util.LinkedHashMap<>();
        value.put("a\"\\\n\u007f", Arrays.asList(1, 2L, 1.5, true, null, "\u00fc\ud83d\ude00"));
        value.put("b", Map.of());
        value.put("c", List.of());
        assertEquals("{\"a\\\"\\\\\\u000a\\u007f\":[1,2,1.5,true,null,\"\u00fc\ud83d\ude00\"],\"b\":{},\"c\":[]}", Json.write(value));
        assertEquals(Cases.plain(value), Cases.plain(Json.read(Json.write(value))));
        assertTrue(Json.isWellFormed("\ud83d\ude00") && !Json.isWellFormed("\ud83d") && !Json.isWellFormed("\ude00\ud83d"));
    }
}
