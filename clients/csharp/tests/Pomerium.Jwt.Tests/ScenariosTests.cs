using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit;

namespace Pomerium.Jwt.Tests;

/// <summary>The five scenarios of conformance/scenarios.md, step by step, at the same time.</summary>
public class ScenariosTests
{
    [Fact]
    public Task AllFive() => Task.WhenAll(
        Task.Run(ColdStartUnderConcurrency),
        Task.Run(RotationUnderLoad),
        Task.Run(AWithdrawnKey),
        Task.Run(TheKeyServerHangs),
        Task.Run(AnOutageShorterThanMaxStale));

    private static PomeriumVerifier Verifier(RunningIssuer issuer, int ttl)
    {
        PomeriumOptions options = issuer.Options;
        options.CacheTtl = TimeSpan.FromSeconds(ttl);
        options.Timeout = TimeSpan.FromSeconds(2);
        options.RefetchCooldown = TimeSpan.FromSeconds(1);
        options.MaxStale = TimeSpan.FromSeconds(60);
        return new(options);
    }

    /// <summary>Null if it is accepted.</summary>
    private static async Task<PomeriumErrorCode?> OutcomeAsync(PomeriumVerifier verifier, string token)
    {
        try
        {
            await AcceptedAsync(verifier, token);
            return null;
        }
        catch (PomeriumException refusal)
        {
            return refusal.Code;
        }
    }

    private static async Task AcceptedAsync(PomeriumVerifier verifier, string token) =>
        Assert.Equal("alice", (await verifier.VerifyAsync(token)).Subject);

    /// <summary>How long an accepted verification took, in seconds.</summary>
    private static async Task<double> TookAsync(PomeriumVerifier verifier, string token)
    {
        long start = Stopwatch.GetTimestamp();
        await AcceptedAsync(verifier, token);
        return Since(start);
    }

    private static double Since(long start) => Stopwatch.GetElapsedTime(start).TotalSeconds;

    private static Task Sleep(double seconds) => Task.Delay(TimeSpan.FromSeconds(Math.Max(0, seconds)));

    private static async Task SteadilyAsync(Func<bool> until, Func<Task> call)
    {
        while (!until())
        {
            await call();
            await Sleep(0.05);
        }
    }

    private static async Task UntilFreshAsync(PomeriumVerifier verifier, Func<Task> call)
    {
        long start = Stopwatch.GetTimestamp();
        await SteadilyAsync(() => verifier.Status().State == PomeriumKeysState.Fresh || Since(start) > 10, call);
        Assert.Equal(PomeriumKeysState.Fresh, verifier.Status().State);
    }

    private static async Task ColdStartUnderConcurrency()
    {
        using RunningIssuer issuer = await RunningIssuer.StartAsync();
        string token = await issuer.MintAsync();
        using PomeriumVerifier verifier = Verifier(issuer, 60);
        Assert.Equal(0, await issuer.FetchesAsync());
        PomeriumErrorCode?[] outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => OutcomeAsync(verifier, token))));
        Assert.True(outcomes.All(outcome => outcome is null));
        Assert.Equal(1, await issuer.FetchesAsync());
    }

    private static async Task RotationUnderLoad()
    {
        using RunningIssuer issuer = await RunningIssuer.StartAsync();
        using PomeriumVerifier verifier = Verifier(issuer, 1);
        bool ended = false;
        // The JOSE headers of the tokens, which are equal if their kids are
        Task<HashSet<string>>[] callers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var headers = new HashSet<string>();
            int verified = 0;
            for (; !Volatile.Read(ref ended); verified++)
            {
                string fresh = await issuer.MintAsync();
                await AcceptedAsync(verifier, fresh);
                headers.Add(fresh.Split('.')[0]);
                await Sleep(0.02);
            }
            Assert.True(verified >= 20, "too few tokens");
            return headers;
        })).ToArray();
        await Sleep(1);
        foreach (string step in new[] { "append", "swap", "drop" })
        {
            await issuer.PostAsync($"/rotate?step={step}");
            await Sleep(2);
        }
        Volatile.Write(ref ended, true);
        foreach (HashSet<string> headers in await Task.WhenAll(callers))
        {
            Assert.Equal(2, headers.Count);
        }
        for (int round = 0; round < 2; round++)
        {
            await Sleep(2);
            await issuer.PostAsync("/rotate");
            await AcceptedAsync(verifier, await issuer.MintAsync());
        }
    }

    private static async Task AWithdrawnKey()
    {
        using RunningIssuer issuer = await RunningIssuer.StartAsync();
        await issuer.PostAsync("/rotate?step=append");
        string token = await issuer.MintAsync();
        using PomeriumVerifier busy = Verifier(issuer, 2), idle = Verifier(issuer, 2);
        await AcceptedAsync(busy, token);
        await AcceptedAsync(idle, token);
        await issuer.PostAsync("/withdraw");
        long withdrawn = Stopwatch.GetTimestamp();
        Task<PomeriumErrorCode?> rested = Task.Run(async () =>
        {
            await Sleep(4.1 - Since(withdrawn));
            return await OutcomeAsync(idle, token);
        });
        var codes = new ConcurrentBag<PomeriumErrorCode>();
        await SteadilyAsync(() => Since(withdrawn) >= 6, async () =>
        {
            double began = Since(withdrawn);
            if (await OutcomeAsync(busy, token) is PomeriumErrorCode code)
            {
                codes.Add(code);
            }
            else
            {
                Assert.True(codes.IsEmpty && began < 4, $"accepted {began} s after it");
            }
        });
        Assert.Equal(new[] { PomeriumErrorCode.KeyNotFound }, codes.Distinct().ToArray());
        Assert.Equal(PomeriumErrorCode.KeyNotFound, await rested);

        string another = await issuer.MintAsync();
        Assert.Equal(PomeriumErrorCode.KeyNotFound, await OutcomeAsync(busy, another));
        Assert.Equal(PomeriumErrorCode.KeyNotFound, await OutcomeAsync(idle, another));
        await Sleep(2);
        await issuer.PostAsync("/rotate");
        string fresh = await issuer.MintAsync();
        await AcceptedAsync(busy, fresh);
        await AcceptedAsync(idle, fresh);
    }

    private static async Task TheKeyServerHangs()
    {
        using RunningIssuer issuer = await RunningIssuer.StartAsync();
        string token = await issuer.MintAsync();
        using PomeriumVerifier busy = Verifier(issuer, 5), idle = Verifier(issuer, 5);
        await AcceptedAsync(busy, token);
        await AcceptedAsync(idle, token);
        await issuer.PostAsync("/fault?kind=hang");
        int fetches = await issuer.FetchesAsync();
        long hung = Stopwatch.GetTimestamp();
        await SteadilyAsync(
            () => Since(hung) >= 11,
            async () => Assert.True(await TookAsync(busy, token) < 1, "a call waited under steady traffic"));
        Assert.True(await issuer.FetchesAsync() >= fetches + 2, "it has hardly tried");
        double first = await TookAsync(idle, token);
        Assert.True(first is >= 1 and < 4, $"the first call after a rest took {first} s");
        Assert.True(await TookAsync(idle, token) < 1, "the second call waited too");
        await issuer.PostAsync("/fault?kind=none");
        await UntilFreshAsync(busy, () => AcceptedAsync(busy, token));
    }

    private static async Task AnOutageShorterThanMaxStale()
    {
        using RunningIssuer issuer = await RunningIssuer.StartAsync();
        string token = await issuer.MintAsync();
        using PomeriumVerifier busy = Verifier(issuer, 2), idle = Verifier(issuer, 2);
        await AcceptedAsync(busy, token);
        await AcceptedAsync(idle, token);
        await issuer.PostAsync("/fault?kind=reset");
        long begun = Stopwatch.GetTimestamp();
        await SteadilyAsync(() => Since(begun) >= 7, () => AcceptedAsync(busy, token));
        await AcceptedAsync(idle, token);
        Assert.NotNull(busy.Status().LastError);
        Assert.NotNull(idle.Status().LastError);
        await issuer.PostAsync("/rotate");
        await issuer.PostAsync("/fault?kind=none");
        await UntilFreshAsync(busy, () => OutcomeAsync(busy, token));
        await Sleep(1.1);
        await AcceptedAsync(busy, await issuer.MintAsync());
    }
}
