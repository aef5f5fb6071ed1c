using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Pomerium.Jwt.Testing;

/// <summary>
/// Stands in for Pomerium in tests: signs as Pomerium does, with a key of its own, so that an application verifies as in
/// production. Threads may share it.
/// </summary>
/// <example>
/// <code>
/// var issuer = new PomeriumTestIssuer();
/// using var factory = new WebApplicationFactory&lt;Program&gt;().WithWebHostBuilder(host =>
///     host.ConfigureServices(services => services.AddSingleton(issuer.CreateVerifier())));
/// HttpClient client = factory.CreateClient();
/// client.DefaultRequestHeaders.Add(PomeriumTestIssuer.Header, issuer.Token(groups: ["admins"]));
/// </code>
/// </example>
public sealed class PomeriumTestIssuer
{
    /// <summary>The request header that carries a token.</summary>
    public const string Header = "X-Pomerium-Jwt-Assertion";

    /// <summary>As the value of a claim: leaves it out.</summary>
    public static readonly object Absent = new();

    /// <summary>How long Pomerium lets a token live.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>Beyond every leeway and every maximal age in use.</summary>
    private static readonly TimeSpan LongAgo = TimeSpan.FromDays(2);

    private readonly TestKey key = new();
    private readonly SortedDictionary<string, string> jwk = new(StringComparer.Ordinal);
    private readonly string kid;

    /// <summary>An issuer for the route https://<paramref name="host"/>.</summary>
    public PomeriumTestIssuer(string host = "app.example.com")
    {
        Host = host;
        // What a thumbprint takes (RFC 7638), in its order; Pomerium's kid is the thumbprint in hexadecimal
        jwk["crv"] = "P-256";
        jwk["kty"] = "EC";
        jwk["x"] = Encoded(key.X);
        jwk["y"] = Encoded(key.Y);
        kid = Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(jwk))).ToLowerInvariant();
        jwk["alg"] = "ES256";
        jwk["kid"] = kid;
        jwk["use"] = "sig";
    }

    /// <summary>The host of the application's route, without port.</summary>
    public string Host { get; }

    /// <summary>The JWK Set as Pomerium serves it.</summary>
    public string KeySet => JsonSerializer.Serialize(new { keys = new[] { jwk } });

    /// <summary>What a verifier takes to accept these tokens: the route, and this issuer's key set. Add what a test needs.</summary>
    public PomeriumOptions CreateOptions() => new() { Route = [$"https://{Host}"], Jwks = KeySet };

    /// <summary>A verifier that accepts these tokens, for AddSingleton: AddPomerium takes it instead of its own.</summary>
    public PomeriumVerifier CreateVerifier() => new(CreateOptions());

    /// <summary>A token that was signed now and lives for five minutes.</summary>
    /// <param name="subject">
    /// Who is calling; name and e-mail address follow from it. Empty for the token of a request to a public route.
    /// </param>
    /// <param name="groups">The user's groups.</param>
    /// <param name="claims">
    /// More claims, or other values for some: what System.Text.Json writes, and <see cref="DateTimeOffset"/> in Unix seconds;
    /// <see cref="Absent"/> leaves a claim out.
    /// </param>
    public string Token(
        string subject = "alice", IEnumerable<string>? groups = null, IReadOnlyDictionary<string, object?>? claims = null)
    {
        SortedDictionary<string, object?> payload = Payload(subject, groups);
        foreach ((string name, object? value) in claims ?? new Dictionary<string, object?>())
        {
            payload[name] = value;
        }
        foreach (string name in payload.Keys.ToList())
        {
            if (payload[name] == Absent)
            {
                payload.Remove(name);
            }
            else if (payload[name] is DateTimeOffset time)
            {
                payload[name] = time.ToUnixTimeSeconds();
            }
        }
        return Signed(JsonSerializer.SerializeToUtf8Bytes(payload));
    }

    /// <summary>A token that expired two days ago.</summary>
    public string ExpiredToken()
    {
        DateTimeOffset then = DateTimeOffset.UtcNow - LongAgo;
        return Token(claims: new Dictionary<string, object?> { ["iat"] = then - Lifetime, ["exp"] = then });
    }

    /// <summary>A token for another application of the same Pomerium.</summary>
    public string TokenForAnotherApplication() =>
        Token(claims: new Dictionary<string, object?> { ["aud"] = "another-application.example.com" });

    private SortedDictionary<string, object?> Payload(string subject, IEnumerable<string>? groups)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        // Sorted, as Pomerium writes them
        return new(StringComparer.Ordinal)
        {
            ["sub"] = subject,
            ["user"] = subject,
            ["email"] = subject.Length == 0 ? "" : $"{subject}@example.com",
            ["name"] = subject.Length == 0 ? "" : char.ToUpperInvariant(subject[0]) + subject[1..],
            ["groups"] = (groups ?? []).ToArray(),
            ["sid"] = "",
            ["jti"] = Guid.NewGuid().ToString(),
            ["iss"] = Host,
            ["aud"] = Host,
            ["iat"] = now,
            ["exp"] = now + Lifetime,
        };
    }

    private string Signed(byte[] payload)
    {
        string header = Encoded(Encoding.UTF8.GetBytes($$"""{"alg":"ES256","kid":"{{kid}}","typ":"JWT"}"""));
        string message = $"{header}.{Encoded(payload)}";
        return $"{message}.{Encoded(key.Sign(Encoding.ASCII.GetBytes(message)))}";
    }

    private static string Encoded(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
