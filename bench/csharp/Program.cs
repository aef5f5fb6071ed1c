// Times pomerium-jwt next to what a C# program would otherwise write with .NET alone, its ECDsa and a JSON reader, in one process:
// `make bench-csharp`. .NET's ECDsa is OpenSSL's on Linux, which libraries such as Microsoft.IdentityModel use too.
//
// Each verifies the same 2,000 distinct tokens under one key with the same checks (algorithm, signature, exp, iss, aud), and the
// e-mail address and the groups are read. They take turns in short rounds and the medians are printed, so that a change of the
// machine's speed meets both: read the ratio. The medians in µs go to bench/csharp.json in Cargo's target directory too.

using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Pomerium.Jwt;
using Pomerium.Jwt.Testing;

const int tokenCount = 2000, share = 20, rounds = 300;

var issuer = new PomeriumTestIssuer();
using PomeriumVerifier verifier = issuer.CreateVerifier();
string[] tokens = Enumerable.Range(0, tokenCount).Select(number => issuer.Token($"user{number}", ["staff", "admins"])).ToArray();
using var alone = new DotnetAlone(issuer);
var subjects = new Dictionary<string, Func<string, int>>
{
    ["pomerium-jwt"] = token => verifier.Verify(token) is var identity ? identity.Email!.Length + identity.Groups.Count : 0,
    [".NET's ECDsa and Utf8JsonReader"] = alone.Verify,
};

var times = subjects.Keys.ToDictionary(name => name, _ => new List<double>());
for (int round = -50; round < rounds; round++)
{
    foreach ((string name, Func<string, int> verify) in subjects)
    {
        long start = Stopwatch.GetTimestamp();
        for (int number = 0; number < share; number++)
        {
            if (verify(tokens[(round + 50) * share % tokenCount + number]) == 0)
            {
                throw new InvalidOperationException($"{name} refused a good token");
            }
        }
        if (round >= 0) // after the compiler has come to its end
        {
            times[name].Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / share);
        }
    }
}
double ours = Median(times["pomerium-jwt"]);
foreach ((string name, List<double> measured) in times)
{
    Console.WriteLine($"{name,-34} {Median(measured),8:F1} µs  {Median(measured) / ours,5:F1} times ours");
}
string folder = Path.Combine(Environment.GetEnvironmentVariable("CARGO_TARGET_DIR") ?? "target", "bench");
Directory.CreateDirectory(folder);
File.WriteAllText(Path.Combine(folder, "csharp.json"), JsonSerializer.Serialize(times.ToDictionary(time => time.Key, time => Median(time.Value))));

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

/// <summary>The shortest right way with .NET alone.</summary>
internal sealed class DotnetAlone : IDisposable
{
    private readonly ECDsa key;
    private readonly string host;

    internal DotnetAlone(PomeriumTestIssuer issuer)
    {
        host = issuer.Host;
        using JsonDocument set = JsonDocument.Parse(issuer.KeySet);
        JsonElement jwk = set.RootElement.GetProperty("keys")[0];
        key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new() { X = Decoded(jwk.GetProperty("x").GetString()!), Y = Decoded(jwk.GetProperty("y").GetString()!) },
        });
    }

    internal int Verify(string token)
    {
        string[] parts = token.Split('.');
        var header = new Utf8JsonReader(Decoded(parts[0]));
        string? algorithm = null;
        for (header.Read(); header.Read() && header.TokenType == JsonTokenType.PropertyName;)
        {
            bool wanted = header.ValueTextEquals("alg"u8);
            header.Read();
            algorithm = wanted ? header.GetString() : algorithm;
        }
        byte[] message = Encoding.ASCII.GetBytes(token, 0, parts[0].Length + 1 + parts[1].Length);
        if (algorithm != "ES256" || !key.VerifyData(message, Decoded(parts[2]), HashAlgorithmName.SHA256))
        {
            return 0;
        }
        return Read(Decoded(parts[1]));
    }

    private int Read(byte[] payload)
    {
        var reader = new Utf8JsonReader(payload);
        string? email = null, issuer = null, audience = null, subject = null;
        long expiry = 0;
        var groups = new List<string>();
        for (reader.Read(); reader.Read() && reader.TokenType == JsonTokenType.PropertyName;)
        {
            string name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "email": email = reader.GetString(); break;
                case "iss": issuer = reader.GetString(); break;
                case "aud": audience = reader.GetString(); break;
                case "sub": subject = reader.GetString(); break;
                case "exp": expiry = reader.GetInt64(); break;
                case "groups":
                    while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    {
                        groups.Add(reader.GetString()!);
                    }
                    break;
                default: reader.Skip(); break;
            }
        }
        bool good = issuer == host && audience == host && subject?.Length > 0 && expiry + 60 > DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return good ? email!.Length + groups.Count : 0;
    }

    public void Dispose() => key.Dispose();

    private static byte[] Decoded(string text)
    {
        string padded = text.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(padded + new string('=', (4 - padded.Length % 4) % 4));
    }
}
