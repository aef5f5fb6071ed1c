using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pomerium.Jwt;

/// <summary>
/// Says whether an instance can verify, for health pages and probes. Never restart the application because of it: that brings
/// no key server back.
/// </summary>
/// <param name="Configured">True: a verifier that exists, and is not disposed of, is configured.</param>
/// <param name="Asked">Whether the keys have been asked for, by the first token or by a refresh.</param>
/// <param name="KeysLoaded">Whether there is a usable key that has not expired.</param>
/// <param name="Stale">Whether the keys are old and the last fetch failed. A warning, neither unready nor unlive.</param>
public readonly record struct PomeriumHealth(
    [property: JsonPropertyName("configured")] bool Configured,
    [property: JsonPropertyName("asked")] bool Asked,
    [property: JsonPropertyName("keys_loaded")] bool KeysLoaded,
    [property: JsonPropertyName("stale")] bool Stale)
{
    /// <summary>Whether the instance can take traffic.</summary>
    [JsonIgnore]
    public bool Ready => Configured && (KeysLoaded || !Asked);
}

/// <summary>How old the keys are.</summary>
public enum PomeriumKeysState
{
    /// <summary>From the options or a file.</summary>
    Static,
    /// <summary>Not fetched yet.</summary>
    Empty,
    /// <summary>Younger than the ttl.</summary>
    Fresh,
    /// <summary>Younger than twice the ttl.</summary>
    Aging,
    /// <summary>In use only while the source fails.</summary>
    Old,
    /// <summary>Not in use any more.</summary>
    Expired,
}

/// <summary>One key. Members are null if the key does not have them.</summary>
/// <param name="Kid">The key's id.</param>
/// <param name="Alg">Its algorithm.</param>
/// <param name="Thumbprint">Its thumbprint (RFC 7638) in hexadecimal.</param>
/// <param name="Usable">Whether tokens are verified with it.</param>
/// <param name="Reason">Why not.</param>
public sealed record PomeriumKey(string? Kid, string? Alg, string? Thumbprint, bool Usable, string? Reason);

/// <summary>Why the keys could not be loaded.</summary>
/// <param name="Code">dns, connect, tls, timeout, status, body, refused or spawn.</param>
/// <param name="Message">A sentence.</param>
/// <param name="At">When.</param>
public sealed record PomeriumFailure(string Code, string Message, DateTimeOffset At);

/// <summary>The issuer and audience of the first token, by the option <c>TrustOnFirstUse</c>.</summary>
/// <param name="Issuer">Null if the option <c>Issuer</c> is set.</param>
/// <param name="Audience">Null if the option <c>Audience</c> is set.</param>
public sealed record PomeriumPinned(string? Issuer, IReadOnlyList<string>? Audience);

/// <summary>
/// A verifier's state at one moment: all that metrics and alerts need. Alert if <see cref="LastError"/> stays for minutes, if
/// <c>Health.KeysLoaded</c> stays false, and on counts of <c>keys_unavailable</c> and <c>keys_empty</c>; not on
/// <see cref="State"/> alone, for the keys of an idle application are old and are fetched before they are used.
/// </summary>
public sealed class PomeriumStatus
{
    private readonly JsonElement document;

    internal PomeriumStatus(string json)
    {
        using JsonDocument read = JsonDocument.Parse(json);
        document = read.RootElement.Clone();
        Json = json;
    }

    /// <summary>All of it as the JSON object that all languages have.</summary>
    public string Json { get; }

    /// <summary>The option that the keys come from, with its address or path.</summary>
    public string Source => Text("source") ?? "";

    /// <summary>How old the keys are.</summary>
    public PomeriumKeysState State => Enum.Parse<PomeriumKeysState>(Text("state") ?? "", ignoreCase: true);

    /// <summary>The time since the set in use was asked for; null for static sources.</summary>
    public TimeSpan? Age => Seconds("age");

    /// <summary>For how long the set in use is fresh; null for static sources.</summary>
    public TimeSpan? Ttl => Seconds("ttl");

    /// <summary>The keys of the set in use, and those that were skipped.</summary>
    public IReadOnlyList<PomeriumKey> Keys => [.. document.GetProperty("keys").EnumerateArray().Select(key => new PomeriumKey(
        Text(key, "kid"), Text(key, "alg"), Text(key, "thumbprint"), key.GetProperty("usable").GetBoolean(), Text(key, "reason")))];

    /// <summary>When the keys were last read or fetched.</summary>
    public DateTimeOffset? LastSuccess => Number("last_success") is long at ? IdentityReader.Instant(at) : null;

    /// <summary>The last failure since then.</summary>
    public PomeriumFailure? LastError => Object("last_error") is JsonElement error
        ? new(Text(error, "code") ?? "", Text(error, "message") ?? "", IdentityReader.Instant(error.GetProperty("at").GetInt64()))
        : null;

    /// <summary>The time until the next fetch may start; null for static sources.</summary>
    public TimeSpan? NextAttempt => Seconds("next_attempt");

    /// <summary>What the option <c>TrustOnFirstUse</c> holds on to.</summary>
    public PomeriumPinned? Pinned => Object("pinned") is JsonElement pinned
        ? new(Text(pinned, "issuer"), Member(pinned, "audience") is JsonElement audience ? Texts(audience) : null)
        : null;

    /// <summary>
    /// How many answers had which code, every code, also at 0; <c>ok</c> counts the verified ones, <c>passed</c> the admissions
    /// without an identity.
    /// </summary>
    public IReadOnlyDictionary<string, long> Counts =>
        document.GetProperty("counts").EnumerateObject().ToDictionary(count => count.Name, count => count.Value.GetInt64());

    /// <summary>How many fetches were started.</summary>
    public long Fetches => Number("fetches") ?? 0;

    /// <summary>How many of them failed.</summary>
    public long FetchFailures => Number("fetch_failures") ?? 0;

    /// <summary>How long the last fetch took; null before the first, and for static sources.</summary>
    public TimeSpan? FetchSeconds => Seconds("fetch_seconds");

    /// <summary>A hash over the thumbprints of the keys: equal if two instances have the same keys.</summary>
    public string? KeySet => Text("key_set");

    /// <summary>What probes ask for.</summary>
    public PomeriumHealth Health => Object("health") is JsonElement health
        ? new(Flag(health, "configured"), Flag(health, "asked"), Flag(health, "keys_loaded"), Flag(health, "stale"))
        : default;

    /// <summary>The line to log at start.</summary>
    public string Summary => Text("summary") ?? "";

    /// <summary>The option of this name, as the other three.</summary>
    public string HeaderName => Text("header_name") ?? "";

    /// <summary>See <see cref="HeaderName"/>.</summary>
    public bool Optional => Flag(document, "optional");

    /// <summary>See <see cref="HeaderName"/>.</summary>
    public IReadOnlyList<string> ExemptPaths => Object("exempt_paths") is JsonElement paths ? Texts(paths) : [];

    /// <summary>See <see cref="HeaderName"/>.</summary>
    public IReadOnlyList<string> RequireGroup => Object("require_group") is JsonElement groups ? Texts(groups) : [];

    private static JsonElement? Member(JsonElement of, string name) =>
        of.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement of, string name) => Member(of, name)?.GetString();

    private static bool Flag(JsonElement of, string name) => of.GetProperty(name).GetBoolean();

    private static IReadOnlyList<string> Texts(JsonElement list) => [.. list.EnumerateArray().Select(text => text.GetString() ?? "")];

    private JsonElement? Object(string name) => Member(document, name);

    private string? Text(string name) => Text(document, name);

    private long? Number(string name) => Object(name)?.GetInt64();

    private TimeSpan? Seconds(string name) => Object(name)?.GetDouble() is double seconds ? TimeSpan.FromSeconds(seconds) : null;
}
