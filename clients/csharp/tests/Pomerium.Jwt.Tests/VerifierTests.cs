using System.Text;
using System.Text.Json;
using Pomerium.Jwt.Testing;
using Xunit;

namespace Pomerium.Jwt.Tests;

public class VerifierTests
{
    private readonly PomeriumTestIssuer issuer = new();

    private static PomeriumErrorCode Code(Func<object?> call) => Assert.Throws<PomeriumException>(call).Code;

    [Fact]
    public void TheClockIsTheMachines()
    {
        using PomeriumVerifier verifier = issuer.CreateVerifier();
        var future = new Dictionary<string, object?> { ["exp"] = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero) };
        var past = new Dictionary<string, object?> { ["iat"] = 1, ["exp"] = 2 };
        Assert.Equal(2100, verifier.Verify(issuer.Token(claims: future)).ExpiresAt.Year);
        Assert.Equal(PomeriumErrorCode.TokenExpired, Code(() => verifier.Verify(issuer.Token(claims: past))));
        Assert.Equal("alice", verifier.VerifyAt(issuer.Token(claims: past), DateTimeOffset.UnixEpoch).Subject);
    }

    [Fact]
    public async Task AfterDisposeEveryMethodThrows()
    {
        PomeriumVerifier verifier = issuer.CreateVerifier();
        string token = issuer.Token();
        PomeriumVerifier copy = verifier.With(new PomeriumRequestOptions { Optional = true });
        verifier.Dispose();
        verifier.Dispose();
        Assert.Throws<ObjectDisposedException>(() => verifier.Verify(token));
        Assert.Throws<ObjectDisposedException>(() => verifier.VerifyAt(token, 0));
        Assert.Throws<ObjectDisposedException>(() => verifier.Admit(new(token, "/")));
        Assert.Throws<ObjectDisposedException>(() => verifier.Status());
        Assert.Throws<ObjectDisposedException>(() => verifier.Metrics());
        Assert.Throws<ObjectDisposedException>(() => verifier.With(new()));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await verifier.VerifyAsync(token));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await verifier.AdmitAsync(new(token, "/")));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => verifier.RefreshAsync());
        Assert.False(verifier.Health().Configured);
        Assert.Equal("alice", copy.Verify(token).Subject);
        Assert.Null(copy.Admit(new("", "/")).Identity);
        copy.Dispose();
    }

    [Fact]
    public async Task OddTokens()
    {
        using PomeriumVerifier verifier = issuer.CreateVerifier();
        string good = issuer.Token();
        foreach ((string? token, PomeriumErrorCode code) in new (string?, PomeriumErrorCode)[]
        {
            (null, PomeriumErrorCode.TokenMissing),
            ("", PomeriumErrorCode.TokenMissing),
            ("\0", PomeriumErrorCode.TokenMalformed),
            (good + "\0", PomeriumErrorCode.TokenMalformed),
            (good + "\ud800", PomeriumErrorCode.TokenMalformed),
            (good + "," + good, PomeriumErrorCode.TokenRepeated),
            (new string('a', 131_073), PomeriumErrorCode.TokenTooLarge),
            (issuer.ExpiredToken(), PomeriumErrorCode.TokenExpired),
            (issuer.TokenForAnotherApplication(), PomeriumErrorCode.AudienceMismatch),
            (issuer.Token(""), PomeriumErrorCode.SubjectMissing),
        })
        {
            Assert.Equal(code, Code(() => verifier.Verify(token)));
            Assert.Equal(code, Code(() => verifier.Verify(Encoding.UTF8.GetBytes(token ?? ""))));
            Assert.Equal(code, (await Assert.ThrowsAsync<PomeriumException>(async () => await verifier.VerifyAsync(token))).Code);
        }
        Assert.Equal("alice", verifier.Verify("Bearer " + good).Subject);
        Assert.True(verifier.VerifyAsync(good).IsCompletedSuccessfully, "with keys at hand nothing waits");
        Assert.True(verifier.VerifyAsync(Encoding.UTF8.GetBytes(good).AsMemory()).IsCompletedSuccessfully);
    }

    [Fact]
    public void SixteenThreads()
    {
        using PomeriumVerifier verifier = issuer.CreateVerifier();
        string[] tokens = Enumerable.Range(0, 16).Select(number => issuer.Token($"user{number}")).ToArray();
        Thread[] threads = new Thread[16];
        int right = 0;
        for (int number = 0; number < threads.Length; number++)
        {
            int own = number;
            threads[number] = new Thread(() =>
            {
                for (int round = 0; round < 500; round++)
                {
                    if (verifier.Verify(tokens[own]).Subject == $"user{own}")
                    {
                        Interlocked.Increment(ref right);
                    }
                }
            });
        }
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Equal(16 * 500, right);
    }

    [Fact]
    public void AHundredThousandRoundsWithFlatMemory()
    {
        int rounds = int.Parse(Environment.GetEnvironmentVariable("SOAK_ROUNDS") ?? "100000");
        using PomeriumVerifier verifier = issuer.CreateVerifier();
        string good = issuer.Token(groups: ["a", "b"]), bad = issuer.ExpiredToken();
        long before = 0;
        for (int round = 0; round < rounds; round++)
        {
            if (round == rounds / 5)
            {
                before = Memory();
            }
            verifier.Verify(good);
            if (round % 10 == 0) // an exception costs as much as a verification
            {
                Code(() => verifier.Verify(bad));
            }
        }
        long grown = Memory() - before;
        // One leaked answer for each round would be 60 MB
        Assert.True(grown < 30_000_000, $"grown by {grown} bytes");

        static long Memory()
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true); // gives memory back
            return Environment.WorkingSet;
        }
    }

    [Fact]
    public void FinalizersRaceCalls()
    {
        string token = issuer.Token();
        bool ended = false;
        int right = 0;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref ended))
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        });
        // Nothing holds the verifier but the call itself, and nobody disposes of it
        Thread[] callers = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int round = 0; round < 50; round++)
            {
                if (issuer.CreateVerifier().Verify(token).Subject == "alice")
                {
                    Interlocked.Increment(ref right);
                }
            }
        })).ToArray();
        collector.Start();
        Array.ForEach(callers, caller => caller.Start());
        Array.ForEach(callers, caller => caller.Join());
        Volatile.Write(ref ended, true);
        collector.Join();
        Assert.Equal(4 * 50, right);
    }

    [Fact]
    public void DisposeRacesCalls()
    {
        string token = issuer.Token();
        int unexpected = 0;
        for (int round = 0; round < 20; round++)
        {
            PomeriumVerifier verifier = issuer.CreateVerifier();
            Thread[] callers = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
            {
                try
                {
                    while (verifier.Verify(token).Subject == "alice")
                    {
                    }
                }
                catch (ObjectDisposedException)
                {
                    return;
                }
                catch (PomeriumException)
                {
                }
                Interlocked.Increment(ref unexpected);
            })).ToArray();
            Array.ForEach(callers, caller => caller.Start());
            Thread.Yield();
            verifier.Dispose();
            Array.ForEach(callers, caller => caller.Join());
        }
        Assert.Equal(0, unexpected);
    }

    [Fact]
    public void IdentityIsHandy()
    {
        using PomeriumVerifier verifier = issuer.CreateVerifier();
        PomeriumIdentity identity = verifier.Verify(issuer.Token(
            "bob", ["a", "b"], new Dictionary<string, object?> { ["level"] = 7, ["address"] = new { city = "Köln" }, ["name"] = PomeriumTestIssuer.Absent }));
        Assert.True(identity.IsUser);
        Assert.True(identity.InGroup("a"));
        Assert.False(identity.InGroup("A"));
        Assert.True(identity.InAnyGroup("x", "b"));
        Assert.False(identity.InAllGroups("a", "x"));
        Assert.Null(identity.Name);
        Assert.Equal(7, identity.GetClaim<int>("level"));
        Assert.Equal("Köln", identity.GetClaim<Dictionary<string, string>>("address")!["city"]);
        Assert.Null(identity.GetClaim<string>("absent"));
        Assert.Throws<JsonException>(() => identity.GetClaim<int>("email"));
        Assert.Equal("bob", identity.Claims.GetProperty("sub").GetString());
        Assert.False(identity.ToString().Contains("bob"));
        Assert.False(new PomeriumRequest("secret", "/").ToString().Contains("secret"));
        Assert.Throws<NotSupportedException>(() => JsonSerializer.Deserialize<PomeriumIdentity>(identity.ToJson()));
    }

    [Fact]
    public void OptionsAreReadStrictly()
    {
        foreach ((PomeriumOptions options, string said) in new[]
        {
            (new PomeriumOptions { Route = ["https://app.example.com"], Leeway = TimeSpan.FromMilliseconds(1500) }, "whole seconds"),
            (new PomeriumOptions { Route = ["https://app.example.com"], Jwks = "{" }, "JSON object"),
            (new PomeriumOptions { Route = ["https://app.example.com"], Jwks = "[]" }, "jwks"),
            (new PomeriumOptions { Route = ["\ud800"] }, "surrogate"),
            (new PomeriumOptions { Route = [null!] }, "not null"),
            (new PomeriumOptions { Route = [] }, "route"),
            (new PomeriumOptions { Route = ["https://app.example.com"], ExpectClaims = new Dictionary<string, IReadOnlyList<string>> { ["hd"] = null! } }, "expect_claims"),
            (new PomeriumOptions(), "route"),
        })
        {
            PomeriumException refused = Assert.Throws<PomeriumException>(() => new PomeriumVerifier(options));
            Assert.Equal(PomeriumErrorCode.InvalidOptions, refused.Code);
            Assert.Contains(said, refused.Reason);
        }
        using var verifier = new PomeriumVerifier("https://app.example.com");
        Assert.Contains("app.example.com", verifier.Summary);
        Assert.Equal("X-Pomerium-Jwt-Assertion", verifier.HeaderName);
        Assert.Contains("pomerium_jwt_verifications_total", verifier.Metrics());
    }

    /// <summary>Native code does not see these on Unix, and a demand must not get lost that way.</summary>
    [Fact]
    public void VariablesThatTheProgramHasSetCount()
    {
        Environment.SetEnvironmentVariable("POMERIUM_JWT_REQUIRE_GROUP", "admins");
        Environment.SetEnvironmentVariable("POMERIUM_JWT_LEEWAY", "5");
        try
        {
            PomeriumOptions options = issuer.CreateOptions();
            options.Leeway = TimeSpan.Zero;
            using PomeriumVerifier verifier = PomeriumVerifier.OverEnvironment(options);
            Assert.Equal(PomeriumErrorCode.GroupRequired, Code(() => verifier.Verify(issuer.Token())));
            Assert.Contains("POMERIUM_JWT_LEEWAY", verifier.Warning);
            Environment.SetEnvironmentVariable("pomerium_jwt_Leway", "5");
            Assert.Contains("pomerium_jwt_Leway", Assert.Throws<PomeriumException>(() => PomeriumVerifier.FromEnvironment()).Reason);
        }
        finally
        {
            foreach (string name in new[] { "POMERIUM_JWT_REQUIRE_GROUP", "POMERIUM_JWT_LEEWAY", "pomerium_jwt_Leway" })
            {
                Environment.SetEnvironmentVariable(name, null);
            }
        }
    }

    [Fact]
    public void LogoutUrlIsEncoded()
    {
        Assert.Equal("/.pomerium/sign_out", PomeriumVerifier.LogoutUrl());
        Assert.Equal(
            "/.pomerium/sign_out?pomerium_redirect_uri=https%3A%2F%2Fa.example.com%2F%3Fq%3D1%262%20%23",
            PomeriumVerifier.LogoutUrl("https://a.example.com/?q=1&2 #"));
    }
}
