package io.github.pomeriumjwt;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A small strict reader and writer of JSON, so that this library needs no other. Objects become maps in the order of
 * their members, whole numbers Long or BigInteger, other numbers Double. All are unmodifiable.
 */
final class Json {
    /** As deep as the core reads. */
    private static final int DEEPEST = 64;

    private final String text;
    private int position;

    private Json(String text) {
        this.text = text;
    }

    /**
     * Reads a text that holds one value and nothing else.
     *
     * @throws IllegalArgumentException for anything that is not strict JSON; the message quotes nothing of the text
     */
    static @Nullable Object read(String text) {
        Json reader = new Json(text);
        reader.skipBlanks();
        Object value = reader.value(0);
        reader.skipBlanks();
        if (reader.position < text.length()) {
            throw reader.wrong("more after the value");
        }
        return value;
    }

    /** Reads an object; the exception is as that of {@link #read}. */
    @SuppressWarnings("unchecked") // an object's members are values
    static Map<String, @Nullable Object> readObject(String text) {
        if (read(text) instanceof Map<?, ?> object) {
            return (Map<String, @Nullable Object>) object;
        }
        throw new IllegalArgumentException("not a JSON object");
    }

    private @Nullable Object value(int depth) {
        return switch (peek()) {
            case '{' -> object(depth + 1);
            case '[' -> array(depth + 1);
            case '"' -> string();
            case 't' -> word("true", Boolean.TRUE);
            case 'f' -> word("false", Boolean.FALSE);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, @Nullable Object> object(int depth) {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        open(depth);
        if (!skip('}')) {
            do {
                skipBlanks();
                String name = string();
                skipBlanks();
                expect(':');
                skipBlanks();
                int before = members.size();
                members.put(name, value(depth));
                if (members.size() == before) {
                    throw wrong("a name that occurs twice");
                }
                skipBlanks();
            } while (skip(','));
            expect('}');
        }
        return Collections.unmodifiableMap(members);
    }

    private List<@Nullable Object> array(int depth) {
        List<@Nullable Object> entries = new ArrayList<>();
        open(depth);
        if (!skip(']')) {
            do {
                skipBlanks();
                entries.add(value(depth));
                skipBlanks();
            } while (skip(','));
            expect(']');
        }
        return Collections.unmodifiableList(entries);
    }

    private void open(int depth) {
        if (depth > DEEPEST) {
            throw wrong("more than " + DEEPEST + " levels");
        }
        position++;
        skipBlanks();
    }

    private String string() {
        expect('"');
        int start = position;
        int end = start;
        while (end < text.length() && isPlain(text.charAt(end))) {
            end++;
        }
        position = end;
        if (skip('"')) {
            return text.substring(start, end);
        }
        StringBuilder unescaped = new StringBuilder().append(text, start, end);
        while (!skip('"')) {
            char next = take();
            if (next < ' ') {
                throw wrong("a control character in a string");
            }
            unescaped.append(next == '\\' ? escaped() : next);
        }
        return wellFormed(unescaped.toString());
    }

    private static boolean isPlain(char next) {
        return next != '"' && next != '\\' && next >= ' ' && !Character.isSurrogate(next);
    }

    private char escaped() {
        char escape = take();
        return switch (escape) {
            case '"', '\\', '/' -> escape;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> (char) (digit() << 12 | digit() << 8 | digit() << 4 | digit());
            default -> throw wrong("an unknown escape");
        };
    }

    private int digit() {
        char next = take();
        int digit = next < 128 ? Character.digit(next, 16) : -1;
        if (digit < 0) {
            throw wrong("an unfinished escape");
        }
        return digit;
    }

    private String wellFormed(String string) {
        if (!isWellFormed(string)) {
            throw wrong("half of a surrogate pair");
        }
        return string;
    }

    /** Whether the text can be written as UTF-8. */
    static boolean isWellFormed(String string) {
        return string.codePoints().noneMatch(point -> point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE);
    }

    private @Nullable Object word(String word, @Nullable Object value) {
        if (!text.startsWith(word, position)) {
            throw wrong("an unknown word");
        }
        position += word.length();
        return value;
    }

    private Number number() {
        int start = position;
        skip('-');
        if (!skip('0')) {
            digits();
        }
        boolean whole = true;
        if (skip('.')) {
            whole = false;
            digits();
        }
        if (skip('e') || skip('E')) {
            whole = false;
            if (!skip('+')) {
                skip('-');
            }
            digits();
        }
        return number(text.substring(start, position), whole);
    }

    private Number number(String written, boolean whole) {
        if (!whole) {
            double value = Double.parseDouble(written);
            if (Double.isInfinite(value)) {
                throw wrong("a number that is too large");
            }
            return value;
        }
        // 18 digits always fit
        BigInteger large = written.length() > 18 ? new BigInteger(written) : null;
        return large == null || large.bitLength() < Long.SIZE ? Long.valueOf(written) : large;
    }

    private void digits() {
        int start = position;
        while (position < text.length() && text.charAt(position) >= '0' && text.charAt(position) <= '9') {
            position++;
        }
        if (position == start) {
            throw wrong("something that is not a value");
        }
    }

    private void skipBlanks() {
        while (position < text.length() && isBlank(text.charAt(position))) {
            position++;
        }
    }

    private static boolean isBlank(char next) {
        return next <= ' ' && (next == ' ' || next == '\t' || next == '\n' || next == '\r');
    }

    private char peek() {
        if (position == text.length()) {
            throw wrong("an end too early");
        }
        return text.charAt(position);
    }

    private char take() {
        char next = peek();
        position++;
        return next;
    }

    private boolean skip(char wanted) {
        boolean found = position < text.length() && text.charAt(position) == wanted;
        if (found) {
            position++;
        }
        return found;
    }

    private void expect(char wanted) {
        if (!skip(wanted)) {
            throw wrong("something else than " + wanted);
        }
    }

    private IllegalArgumentException wrong(String found) {
        return new IllegalArgumentException("not JSON: " + found + " at " + position);
    }

    /** Writes a value of text, numbers, booleans, lists and maps. */
    static String write(@Nullable Object value) {
        StringBuilder written = new StringBuilder();
        write(value, written);
        return written.toString();
    }

    private static void write(@Nullable Object value, StringBuilder to) {
        if (value instanceof Map<?, ?> object) {
            String separator = "{";
            for (Map.Entry<?, ?> member : object.entrySet()) {
                to.append(separator).append(quoted((String) member.getKey())).append(':');
                write(member.getValue(), to);
                separator = ",";
            }
            to.append(object.isEmpty() ? "{}" : "}");
        } else if (value instanceof Iterable<?> list) {
            to.append('[');
            String separator = "";
            for (Object entry : list) {
                to.append(separator);
                write(entry, to);
                separator = ",";
            }
            to.append(']');
        } else if (value == null || value instanceof Number || value instanceof Boolean) {
            to.append(value);
        } else {
            to.append(quoted((String) value));
        }
    }

    /** A text as JSON. */
    static String quoted(String text) {
        StringBuilder written = new StringBuilder(text.length() + 2).append('"');
        for (int index = 0; index < text.length(); index++) {
            char next = text.charAt(index);
            if (next == '"' || next == '\\') {
                written.append('\\').append(next);
            } else if (next < ' ' || next == 0x7f) {
                written.append("\\u%04x".formatted((int) next));
            } else {
                written.append(next);
            }
        }
        return written.append('"').toString();
    }
}
