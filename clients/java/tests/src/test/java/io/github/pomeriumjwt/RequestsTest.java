package io.github.pomeriumjwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.function.BiFunction;
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
        Verifier last = made.get(made.size() - 1);
        List<Object> outcomes = one.has("request")
                ? List.of(outcome(last, one, Verifier::admit), outcome(last, one, RequestsTest::admittedLater))
                : List.of("accepted options");
        made.forEach(Verifier::close);
        return outcomes.stream()
                .filter(got -> !Cases.plain(expected).equals(Cases.plain(got)))
                .findFirst()
                .map(got -> "expected\n" + expected + ", got\n" + got);
    }

    /** In the form of the cases. */
    private static Map<String, Object> outcome(
            Verifier verifier, JsonNode one, BiFunction<Verifier, Request, Admission> admitted) {
        JsonNode request = one.get("request");
        try {
            Admission admission = admitted.apply(verifier, new Request(
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

    private static Admission admittedLater(Verifier verifier, Request request) {
        try {
            return verifier.admitAsync(request, Runnable::run).join();
        } catch (CompletionException failure) {
            throw (VerifyException) failure.getCause();
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
