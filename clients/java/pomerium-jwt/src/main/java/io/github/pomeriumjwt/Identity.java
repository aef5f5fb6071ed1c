package io.github.pomeriumjwt;

import java.io.Serializable;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who is calling, as Pomerium says and its signature proves. Immutable. {@link #toString} shows no personal data; to
 * write an identity as JSON, write {@link #toMap} or take {@link #toJson}.
 */
public final class Identity implements Serializable {
    private static final long serialVersionUID = 1;

    private final String subject;
    private final @Nullable String user;
    private final @Nullable String email;
    private final @Nullable String name;

    @SuppressWarnings("serial") // the lists of List.copyOf are serializable
    private final List<String> groups;

    private final @Nullable String sessionId;
    private final @Nullable String tokenId;
    private final String issuer;

    @SuppressWarnings("serial") // see groups
    private final List<String> audience;

    private final @Nullable Instant issuedAt;
    private final Instant expiresAt;
    private final boolean anonymous;
    private final String claimsJson;
    private transient volatile @Nullable Map<String, @Nullable Object> claims;

    /** Of the two documents that the library writes. */
    Identity(String document, String claimsJson) {
        Map<String, @Nullable Object> read = Json.readObject(document);
        subject = text(read, "subject");
        user = (String) read.get("user");
        email = (String) read.get("email");
        name = (String) read.get("name");
        groups = list(read, "groups");
        sessionId = (String) read.get("session_id");
        tokenId = (String) read.get("token_id");
        issuer = text(read, "issuer");
        audience = list(read, "audience");
        issuedAt = read.get("issued_at") instanceof Long seconds ? Instant.ofEpochSecond(seconds) : null;
        expiresAt = Instant.ofEpochSecond((Long) member(read, "expires_at"));
        anonymous = (Boolean) member(read, "anonymous");
        this.claimsJson = claimsJson;
    }

    private static Object member(Map<String, @Nullable Object> document, String name) {
        return Objects.requireNonNull(document.get(name), name);
    }

    private static String text(Map<String, @Nullable Object> document, String name) {
        return (String) member(document, name);
    }

    @SuppressWarnings("unchecked") // the library writes lists of text
    private static List<String> list(Map<String, @Nullable Object> document, String name) {
        return List.copyOf((List<String>) member(document, name));
    }

    /** {@code sub}, the user's id at the identity provider. Empty only when {@link #anonymous}. */
    public String subject() {
        return subject;
    }

    /** Equals the subject in current versions of Pomerium. */
    public @Nullable String user() {
        return user;
    }

    /** The e-mail address. */
    public @Nullable String email() {
        return email;
    }

    /** The display name. */
    public @Nullable String name() {
        return name;
    }

    /** Ids and names of groups, from the directory. */
    public List<String> groups() {
        return groups;
    }

    /** {@code sid}, the session or the service account. Set for some anonymous requests too: no proof of a user. */
    public @Nullable String sessionId() {
        return sessionId;
    }

    /** {@code jti}, fresh for each request (Pomerium 0.27 and later). */
    public @Nullable String tokenId() {
        return tokenId;
    }

    /** {@code iss}. */
    public String issuer() {
        return issuer;
    }

    /** {@code aud}. */
    public List<String> audience() {
        return audience;
    }

    /** {@code iat}: the time of the request (Pomerium 0.29 and later), before it the session's begin. */
    public @Nullable Instant issuedAt() {
        return issuedAt;
    }

    /** {@code exp}, five minutes after the request. Long connections outlive it: close them then. */
    public Instant expiresAt() {
        return expiresAt;
    }

    /** Whether nobody is signed in: {@code sub} was empty and the option {@code allowAnonymous} is set. */
    public boolean anonymous() {
        return anonymous;
    }

    /** Whether somebody is signed in. */
    public boolean isUser() {
        return !anonymous && !subject.isEmpty();
    }

    /** Whether the user is in this group. */
    public boolean inGroup(String group) {
        return groups.contains(group);
    }

    /** Whether the user is in at least one of these groups. */
    public boolean inAnyGroup(String... groups) {
        return Arrays.stream(groups).anyMatch(this::inGroup);
    }

    /** Whether the user is in each of these groups. */
    public boolean inAllGroups(String... groups) {
        return Arrays.stream(groups).allMatch(this::inGroup);
    }

    /**
     * The verified payload, decoded on first use: unmodifiable maps and lists, String, Boolean, null; whole numbers are
     * Long, or BigInteger if they do not fit, others are Double.
     */
    public Map<String, @Nullable Object> claims() {
        Map<String, @Nullable Object> decoded = claims;
        if (decoded == null) {
            decoded = Json.readObject(claimsJson);
            claims = decoded;
        }
        return decoded;
    }

    /** The verified payload as its own JSON text, for a reader such as Jackson. */
    public String claimsJson() {
        return claimsJson;
    }

    /** Everything but the claims, with the names that all languages have; times are Unix seconds. */
    public Map<String, @Nullable Object> toMap() {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("subject", subject);
        members.put("user", user);
        members.put("email", email);
        members.put("name", name);
        members.put("groups", groups);
        members.put("session_id", sessionId);
        members.put("token_id", tokenId);
        members.put("issuer", issuer);
        members.put("audience", audience);
        members.put("issued_at", issuedAt == null ? null : issuedAt.getEpochSecond());
        members.put("expires_at", expiresAt.getEpochSecond());
        members.put("anonymous", anonymous);
        return Collections.unmodifiableMap(members);
    }

    /** {@link #toMap} as a JSON object. */
    public String toJson() {
        return Json.write(toMap());
    }

    /** Equal identities are of equal tokens. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Identity identity && claimsJson.equals(identity.claimsJson) && toMap().equals(identity.toMap());
    }

    @Override
    public int hashCode() {
        return claimsJson.hashCode();
    }

    /** Shows no personal data. */
    @Override
    public String toString() {
        return "Identity[anonymous=%s, groups=%d, issuer=%s, expiresAt=%s]"
                .formatted(anonymous, groups.size(), issuer, expiresAt);
    }
}
