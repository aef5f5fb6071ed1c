using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pomerium.Jwt;

/// <summary>
/// Who is calling, as Pomerium says and its signature proves. Immutable. <see cref="ToString"/> shows no personal data; as
/// JSON an identity has the names of all languages, <c>session_id</c> and so on, and no claims.
/// </summary>
[JsonConverter(typeof(IdentityConverter))]
public sealed class PomeriumIdentity
{
    private readonly byte[] claimsJson;
    private JsonDocument? claims;

    /// <summary>Of the two documents that the library writes.</summary>
    internal PomeriumIdentity(ReadOnlySpan<byte> document, ReadOnlySpan<byte> claims)
    {
        claimsJson = claims.ToArray();
        Subject = Issuer = "";
        Groups = Audience = [];
        var reader = new Utf8JsonReader(document);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("subject"u8)) Subject = IdentityReader.Text(ref reader) ?? "";
            else if (reader.ValueTextEquals("user"u8)) User = IdentityReader.Text(ref reader);
            else if (reader.ValueTextEquals("email"u8)) Email = IdentityReader.Text(ref reader);
            else if (reader.ValueTextEquals("name"u8)) Name = IdentityReader.Text(ref reader);
            else if (reader.ValueTextEquals("groups"u8)) Groups = IdentityReader.Texts(ref reader);
            else if (reader.ValueTextEquals("session_id"u8)) SessionId = IdentityReader.Text(ref reader);
            else if (reader.ValueTextEquals("token_id"u8)) TokenId = IdentityReader.Text(ref reader);
            else if (reader.ValueTextEquals("issuer"u8)) Issuer = IdentityReader.Text(ref reader) ?? "";
            else if (reader.ValueTextEquals("audience"u8)) Audience = IdentityReader.Texts(ref reader);
            else if (reader.ValueTextEquals("issued_at"u8)) IssuedAtSeconds = IdentityReader.Seconds(ref reader);
            else if (reader.ValueTextEquals("expires_at"u8)) ExpiresAtSeconds = IdentityReader.Seconds(ref reader) ?? 0;
            else if (reader.ValueTextEquals("anonymous"u8)) Anonymous = reader.Read() && reader.TokenType == JsonTokenType.True;
            else reader.Skip();
        }
    }

    /// <summary><c>sub</c>, the user's id at the identity provider. Empty only if <see cref="Anonymous"/>.</summary>
    public string Subject { get; }

    /// <summary>Equals the subject in current versions of Pomerium.</summary>
    public string? User { get; }

    /// <summary>The e-mail address.</summary>
    public string? Email { get; }

    /// <summary>The display name.</summary>
    public string? Name { get; }

    /// <summary>Ids and names of groups, from the directory.</summary>
    public IReadOnlyList<string> Groups { get; }

    /// <summary>
    /// <c>sid</c>, the session or the service account. Set for some anonymous requests too: it does not prove a user.
    /// </summary>
    public string? SessionId { get; }

    /// <summary><c>jti</c>, fresh for each request (Pomerium 0.27 and later).</summary>
    public string? TokenId { get; }

    /// <summary><c>iss</c>.</summary>
    public string Issuer { get; }

    /// <summary><c>aud</c>.</summary>
    public IReadOnlyList<string> Audience { get; }

    /// <summary><c>iat</c>: the time of the request (Pomerium 0.29 and later), before that the session's begin.</summary>
    public DateTimeOffset? IssuedAt => IssuedAtSeconds is long seconds ? IdentityReader.Instant(seconds) : null;

    /// <summary><c>exp</c>, five minutes after the request. Long connections outlive it: close them then.</summary>
    public DateTimeOffset ExpiresAt => IdentityReader.Instant(ExpiresAtSeconds);

    /// <summary><see cref="IssuedAt"/> in Unix seconds, which may lie beyond the year 9999.</summary>
    public long? IssuedAtSeconds { get; }

    /// <summary><see cref="ExpiresAt"/> in Unix seconds, which may lie beyond the year 9999.</summary>
    public long ExpiresAtSeconds { get; }

    /// <summary>Whether nobody is signed in: <c>sub</c> was empty and the option <c>AllowAnonymous</c> is set.</summary>
    public bool Anonymous { get; }

    /// <summary>Whether somebody is signed in.</summary>
    public bool IsUser => !Anonymous && Subject.Length > 0;

    /// <summary>Whether the user is in this group.</summary>
    public bool InGroup(string group) => Groups.Contains(group);

    /// <summary>Whether the user is in at least one of these groups.</summary>
    public bool InAnyGroup(params string[] groups) => groups.Any(InGroup);

    /// <summary>Whether the user is in each of these groups.</summary>
    public bool InAllGroups(params string[] groups) => groups.All(InGroup);

    /// <summary>The verified payload, decoded on first use: a JSON object.</summary>
    public JsonElement Claims
    {
        get
        {
            // Two threads may both decode it, which does no harm
            claims ??= JsonDocument.Parse(claimsJson, new JsonDocumentOptions { MaxDepth = 128 });
            return claims.RootElement;
        }
    }

    /// <summary>The verified payload as its own JSON text.</summary>
    public string ClaimsJson => Encoding.UTF8.GetString(claimsJson);

    /// <summary>One claim as a type of your own; the type's default value if the claim is missing.</summary>
    /// <exception cref="JsonException">The claim is there and is something else.</exception>
    [RequiresUnreferencedCode("Deserializes a type that trimming may remove: use Claims instead.")]
    [RequiresDynamicCode("Deserializes a type by reflection: use Claims instead.")]
    public T? GetClaim<T>(string name, JsonSerializerOptions? options = null) =>
        Claims.TryGetProperty(name, out JsonElement claim) ? claim.Deserialize<T>(options) : default;

    /// <summary>Everything but the claims, with the names that all languages have; times are Unix seconds.</summary>
    public IReadOnlyDictionary<string, object?> ToDictionary() => new Dictionary<string, object?>
    {
        ["subject"] = Subject,
        ["user"] = User,
        ["email"] = Email,
        ["name"] = Name,
        ["groups"] = Groups,
        ["session_id"] = SessionId,
        ["token_id"] = TokenId,
        ["issuer"] = Issuer,
        ["audience"] = Audience,
        ["issued_at"] = IssuedAtSeconds,
        ["expires_at"] = ExpiresAtSeconds,
        ["anonymous"] = Anonymous,
    };

    /// <summary><see cref="ToDictionary"/> as a JSON object.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer);
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    internal void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("subject", Subject);
        writer.WriteString("user", User);
        writer.WriteString("email", Email);
        writer.WriteString("name", Name);
        Write(writer, "groups", Groups);
        writer.WriteString("session_id", SessionId);
        writer.WriteString("token_id", TokenId);
        writer.WriteString("issuer", Issuer);
        Write(writer, "audience", Audience);
        if (IssuedAtSeconds is long issued)
        {
            writer.WriteNumber("issued_at", issued);
        }
        else
        {
            writer.WriteNull("issued_at");
        }
        writer.WriteNumber("expires_at", ExpiresAtSeconds);
        writer.WriteBoolean("anonymous", Anonymous);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, IReadOnlyList<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (string text in texts)
        {
            writer.WriteStringValue(text);
        }
        writer.WriteEndArray();
    }

    /// <summary>Shows no personal data.</summary>
    public override string ToString() =>
        $"PomeriumIdentity {{ Anonymous = {Anonymous}, Groups = {Groups.Count}, Issuer = {Issuer}, ExpiresAt = {ExpiresAt:u} }}";
}

/// <summary>The values of an identity's members.</summary>
internal static class IdentityReader
{
    internal static string? Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.GetString();
    }

    internal static long? Seconds(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Null ? null : reader.GetInt64();
    }

    /// <summary>At most the end of the year 9999, as late as DateTimeOffset reaches: a token may live longer.</summary>
    internal static DateTimeOffset Instant(long seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Min(seconds, DateTimeOffset.MaxValue.ToUnixTimeSeconds()));

    internal static IReadOnlyList<string> Texts(ref Utf8JsonReader reader)
    {
        reader.Read();
        List<string> texts = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            texts.Add(reader.GetString() ?? "");
        }
        return texts.AsReadOnly();
    }
}

/// <summary>Writes identities with the names of all languages. Reads none: what somebody sent has not been verified.</summary>
internal sealed class IdentityConverter : JsonConverter<PomeriumIdentity>
{
    public override PomeriumIdentity Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        throw new NotSupportedException("an identity comes from a PomeriumVerifier alone");

    public override void Write(Utf8JsonWriter writer, PomeriumIdentity identity, JsonSerializerOptions options) => identity.Write(writer);
}
