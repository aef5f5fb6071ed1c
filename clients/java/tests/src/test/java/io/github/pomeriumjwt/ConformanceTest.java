package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.Method;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ConformanceTest {
    @Test
    void everyCaseHasItsOutcome() {
        List<JsonNode> cases = new ArrayList<>(Cases.of("cases.json"));
        cases.addAll(Cases.of("genuine.json"));
        String different = cases.stream()
                .flatMap(one -> difference(one).map(why -> one.get("id").textValue() + ": " + why).stream())
                .collect(Collectors.joining("\n"));
        assertEquals("", different);
        System.out.println("conformance: " + cases.size() + " cases");
    }

    /** How the outcome is not the expected one. */
    private static Optional<String> difference(JsonNode one) {
        JsonNode expected = one.get("expect");
        try {
            Identity identity = run(one);
            Object got = List.of(Cases.plain(identity.toMap()), Cases.plain(identity.claims()));
            Object written = List.of(Cases.plain(Cases.read(identity.toJson())), Cases.plain(Cases.read(identity.claimsJson())));
            if (expected.has("code")) {
                return Optional.of("expected " + expected + ", got " + got);
            }
            Object wanted = List.of(Cases.plain(expected.get("identity")), Cases.plain(expected.get("claims")));
            return wanted.equals(got) && wanted.equals(written)
                    ? Optional.empty()
                    : Optional.of("expected\n" + wanted + ", got\n" + got + " and\n" + written);
        } catch (VerifyException refusal) {
            boolean right = refusal.code().toString().equals(expected.path("code").textValue())
                    && refusal.reason().contains(expected.path("message").asText(""));
            return right ? Optional.empty() : Optional.of("expected " + expected + ", got " + refusal);
        }
    }

    private static Identity run(JsonNode one) {
        try (Verifier verifier = Verifier.of(Options.fromJson(one.get("options").toString()))) {
            assertTrue(one.has("token"), () -> one.get("id") + ": the options were accepted");
            return verifier.verifyAt(Cases.joined(one.get("token")), Instant.ofEpochSecond(one.get("now").longValue()));
        }
    }

    @Test
    void codesAreThePublishedOnes() {
        List<JsonNode> rows = Cases.of("codes.json");
        for (JsonNode row : rows) {
            ErrorCode code = ErrorCode.of(row.get("number").intValue());
            assertEquals(row.get("code").textValue(), code.toString(), () -> "add to ErrorCode.java: "
                    + row.get("code").textValue().toUpperCase() + "(" + row.get("number") + ", "
                    + row.get("kind").textValue().toUpperCase() + "),");
            assertEquals(row.get("kind").textValue(), code.kind().toString());
            assertEquals(row.get("status").intValue(), new VerifyException(code, "why").status());
        }
        assertEquals(rows.size(), ErrorCode.values().length, "ErrorCode.java has codes of its own");
    }

    /** The builders are generated; this is whether they are current, and whether each method sets its own option. */
    @Test
    void optionsAreThePublishedOnes() throws ReflectiveOperationException {
        Set<String> all = Cases.of("options.json").stream().map(row -> row.get("name").textValue()).collect(Collectors.toSet());
        Set<String> request = Cases.of("options.json").stream()
                .filter(row -> row.get("group").textValue().equals("request"))
                .map(row -> row.get("name").textValue())
                .collect(Collectors.toSet());
        assertEquals(all, optionsOf(Options.Builder.class), "run `make conformance`");
        assertEquals(request, optionsOf(RequestOptions.Builder.class), "run `make conformance`");
    }

    private static Set<String> optionsOf(Class<?> builder) throws ReflectiveOperationException {
        Set<String> options = new java.util.TreeSet<>();
        for (Method method : builder.getMethods()) {
            if (method.getReturnType() != builder) {
                continue;
            }
            Object fresh = builder.getEnclosingClass().getMethod("builder").invoke(null);
            Object built = builder.getMethod("build").invoke(method.invoke(fresh, sample(method.getParameterTypes()[0])));
            String json = (String) builder.getEnclosingClass().getMethod("toJson").invoke(built);
            Map<String, Object> members = Json.readObject(json);
            String option = method.getName().replaceAll("([A-Z])", "_$1").toLowerCase();
            assertEquals(Set.of(option), members.keySet());
            assertNotNull(members.get(option));
            options.add(option);
        }
        return options;
    }

    private static Object sample(Class<?> type) {
        return switch (type.getSimpleName()) {
            case "String" -> "{}";
            case "String[]" -> new String[] {"a", "b"};
            case "List" -> List.of("a", "b");
            case "Path" -> java.nio.file.Path.of("file");
            case "Duration" -> java.time.Duration.ofSeconds(7);
            case "boolean" -> false;
            case "int" -> 7;
            case "Map" -> Map.of("claim", List.of("a"));
            default -> throw new IllegalArgumentException("no sample of " + type);
        };
    }

    /** Status has all that the library gives, under Java's names. */
    @Test
    void statusHasEveryMember() {
        try (Verifier verifier = Verifier.of(Options.builder().route("http://127.0.0.1:9").build())) {
            Set<String> names = Set.copyOf(Arrays.stream(Status.class.getRecordComponents())
                    .map(component -> component.getName().replaceAll("([A-Z])", "_$1").toLowerCase())
                    .map(name -> name.equals("fetch_time") ? "fetch_seconds" : name)
                    .toList());
            assertEquals(Json.readObject(verifier.statusJson()).keySet(), names, "add to Status.java");
        }
    }
}
