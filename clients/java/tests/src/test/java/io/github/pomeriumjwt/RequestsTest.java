package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RequestsTest {
    @Test
    void everyRequestHasItsOutcome() {
        List<JsonNode> cases = Cases.of("requests.json");
        String different = cases.stream()
                .flatMap(one -> difference(one).map(why -> one.get("id").textValue() + ": " + why).stream())
                .collect(Collectors.joining("\n"));
        assertEquals("", different);
        assertTrue(cases.size() >= 280, "requests.json has lost some");
        System.out.println("requests: " + cases.size() + " cases");
    }

    private static Optional<String> difference(JsonNode one) {
        JsonNode expected = one.get("expect");
        List<Verifier> made = new ArrayList<>();
        try {
            made.add(Verifier.of(Options.fromJson(one.get("options").toString())));
            if (one.has("with")) {
                made.add(made.get(0).with(RequestOptions.fromJson(one.get("with").toString())));
            }
        } catch (VerifyException refused) {
            boolean right = !one.has("request")
                    && refused.code().toString().equals(expected.get("code").textValue())
                    && refused.reason().contains(expected.get("message").textValue());
            return right ? Optional.empty() : Optional.of("expected " + expected + ", got " + refused);
        }
        Object got = one.has("request") ? outcome(made.get(made.size() - 1), one) : "accepted options";
        made.forEach(Verifier::close);
        return Cases.plain(expected).equals(Cases.plain(got)) ? Optional.empty() : Optional.of("expected\n" + expected + ", got\n" + got);
    }

    /** In the form of the cases. */
    private static Map<String, Object> outcome(Verifier verifier, JsonNode one) {
        JsonNode request = one.get("request");
        try {
            Admission admission = verifier.admit(new Request(
                    Cases.joined(request.get("token")),
                    request.get("path").textValue(),
                    request.path("upgrade").booleanValue(),
                    request.path("marked_public").booleanValue()));
            demand(admission, one.path("demand"));
            return admission.identity()
                    .map(identity -> Map.<String, Object>of("identity", identity.toMap()))
                    .orElse(Map.of("passed", true));
        } catch (VerifyException refused) {
            return Map.of(
                    "code", refused.code().toString(),
                    "status", refused.status(),
                    "headers", refused.headers(),
                    "body", refused.body());
        }
    }

    private static void demand(Admission admission, JsonNode demand) {
        if (demand.path("user").booleanValue()) {
            admission.requireUser();
        } else if (demand.has("groups")) {
            List<String> groups = new ArrayList<>();
            demand.get("groups").forEach(group -> groups.add(group.textValue()));
            admission.requireGroup(groups.toArray(String[]::new));
        }
    }
}
