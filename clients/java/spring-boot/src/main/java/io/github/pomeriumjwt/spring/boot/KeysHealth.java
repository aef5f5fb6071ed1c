package io.github.pomeriumjwt.spring.boot;

import io.github.pomeriumjwt.Status;
import io.github.pomeriumjwt.Verifier;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What Actuator shows of the verifier: of the readiness group, since no restart brings a key server back.
 *
 * @param ready whether requests can be verified
 * @param details for those who may see details
 */
record KeysHealth(boolean ready, Map<String, Object> details) {
    /** The contributor's name. */
    static final String NAME = "pomerium";

    /** The group that it belongs to. */
    static final String GROUP = "readiness";

    static KeysHealth of(Verifier verifier) {
        Status status = verifier.status();
        Map<String, Object> details = new LinkedHashMap<>(status.health().toMap());
        details.put("source", status.source());
        details.put("state", status.state().toString());
        details.put("keys", status.keys().stream().filter(Status.Key::usable).count());
        if (status.age() != null) {
            details.put("age_seconds", status.age().toSeconds());
        }
        if (status.lastError() != null) {
            details.put("last_error", status.lastError().message());
        }
        return new KeysHealth(status.health().ready(), details);
    }
}
