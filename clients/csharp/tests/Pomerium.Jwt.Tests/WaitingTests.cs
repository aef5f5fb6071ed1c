using System.Diagnostics;
using Pomerium.Jwt.Testing;
using Xunit;

namespace Pomerium.Jwt.Tests;

/// <summary>Waiting for keys holds no thread of the pool.</summary>
public class WaitingTests
{
    private const int Callers = 10_000;

    [Fact]
    public async Task TenThousandWaitWithAPoolOfTwo()
    {
        using RunningIssuer issuer = await RunningIssuer.StartAsync();
        string token = await issuer.MintAsync();
        PomeriumOptions options = issuer.Options;
        options.Timeout = TimeSpan.FromSeconds(30);
        options.RefetchCooldown = TimeSpan.FromSeconds(1);
        using var verifier = new PomeriumVerifier(options);
        using PomeriumVerifier other = new PomeriumTestIssuer().CreateVerifier();
        await issuer.PostAsync("/fault?kind=hang");

        ThreadPool.GetMinThreads(out int minimum, out int minimumPorts);
        ThreadPool.GetMaxThreads(out int maximum, out int maximumPorts);
        int pool = Math.Max(2, Environment.ProcessorCount); // .NET takes no fewer than there are processors
        ThreadPool.SetMinThreads(2, 2);
        Assert.True(ThreadPool.SetMaxThreads(pool, maximumPorts));
        try
        {
            await WaitAsync(issuer, verifier, other, token);
        }
        finally
        {
            ThreadPool.SetMaxThreads(maximum, maximumPorts);
            ThreadPool.SetMinThreads(minimum, minimumPorts);
        }
    }

    private static async Task WaitAsync(RunningIssuer issuer, PomeriumVerifier verifier, PomeriumVerifier other, string token)
    {
        int before = Threads();
        using var left = new CancellationTokenSource();
        Task<PomeriumIdentity>[] waiting = Enumerable.Range(0, Callers)
            .Select(number => verifier.VerifyAsync(token, number % 2 == 0 ? left.Token : default).AsTask())
            .ToArray();
        Assert.True(waiting.All(caller => !caller.IsCompleted), "a caller did not wait");
        Assert.Equal(1, await issuer.FetchesAsync());
        int grown = Threads() - before;
        Assert.True(grown < 20, $"{grown} more threads");

        // Meanwhile the pool is free, and other verifiers answer
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => other.Status())));

        left.Cancel();
        int cancelled = 0;
        foreach (Task<PomeriumIdentity> caller in waiting.Where((_, number) => number % 2 == 0))
        {
            try
            {
                await caller;
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        }
        Assert.Equal(Callers / 2, cancelled);
        Assert.True(waiting.Where((_, number) => number % 2 == 1).All(caller => !caller.IsCompleted), "others were cancelled too");

        issuer.Dispose(); // breaks the connection, which ends the fetch
        PomeriumErrorCode[] codes = await Task.WhenAll(waiting.Where((_, number) => number % 2 == 1).Select(CodeAsync));
        Assert.True(codes.All(code => code == PomeriumErrorCode.KeysUnavailable));
    }

    private static async Task<PomeriumErrorCode> CodeAsync(Task<PomeriumIdentity> caller)
    {
        try
        {
            await caller;
            return 0;
        }
        catch (PomeriumException refusal)
        {
            return refusal.RetryAfter is null ? 0 : refusal.Code;
        }
    }

    private static int Threads()
    {
        using var self = Process.GetCurrentProcess();
        return self.Threads.Count;
    }

    [Fact]
    public async Task RefreshFetchesAndSaysWhyNot()
    {
        RunningIssuer issuer = await RunningIssuer.StartAsync();
        using var verifier = new PomeriumVerifier(issuer.Options);
        string token = await issuer.MintAsync();
        await verifier.RefreshAsync(force: true);
        Assert.Equal(1, await issuer.FetchesAsync());
        Assert.True(verifier.VerifyAsync(token).IsCompletedSuccessfully);
        Assert.True(verifier.Health().KeysLoaded);
        issuer.Dispose();
        await Task.Delay(1100); // at most once a second
        PomeriumException failure = await Assert.ThrowsAsync<PomeriumException>(() => verifier.RefreshAsync(force: true));
        Assert.Equal(PomeriumErrorCode.KeysUnavailable, failure.Code);
        Assert.Equal(503, failure.Status);
        Assert.NotNull(verifier.Status().LastError);
    }

    [Fact]
    public async Task DisposingEndsNoRefreshInTheMiddle()
    {
        RunningIssuer issuer = await RunningIssuer.StartAsync();
        var verifier = new PomeriumVerifier(issuer.Options);
        await issuer.PostAsync("/fault?kind=hang");
        Task refresh = verifier.RefreshAsync(force: true);
        while (await issuer.FetchesAsync() == 0)
        {
            await Task.Delay(20);
        }
        verifier.Dispose();
        Assert.False(refresh.IsCompleted);
        issuer.Dispose();
        try
        {
            await refresh;
            Assert.True(false, "a broken fetch has succeeded");
        }
        catch (Exception failure) when (failure is PomeriumException or ObjectDisposedException)
        {
        }
    }
}
