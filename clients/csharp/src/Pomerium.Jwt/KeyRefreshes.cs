namespace Pomerium.Jwt;

/// <summary>
/// One refresh at a time, on one thread of its own, for any number of callers: waiting in native code must hold no thread of
/// the pool. Verifiers made by <see cref="PomeriumVerifier.With"/> share it.
/// </summary>
internal sealed class KeyRefreshes(bool force)
{
    private readonly object gate = new();
    private Task<PomeriumException?>? running;

    /// <summary>Joins the refresh that runs, or begins one. The result is why it failed.</summary>
    internal Task<PomeriumException?> Join(VerifierHandle verifier)
    {
        TaskCompletionSource<PomeriumException?> begun;
        lock (gate)
        {
            if (running is not null)
            {
                return running;
            }
            begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
            bool added = false;
            verifier.DangerousAddRef(ref added); // throws if it has been disposed of; until the end of the refresh it is not freed
            running = begun.Task;
        }
        Start(verifier, begun);
        return begun.Task;
    }

    /// <summary>
    /// Waits for a refresh that began after this call, or for one that failed: one that runs already may have asked before.
    /// </summary>
    internal async Task JoinNewAsync(VerifierHandle verifier, CancellationToken cancellation)
    {
        Task<PomeriumException?>? before = Volatile.Read(ref running);
        Task<PomeriumException?> refresh = Join(verifier);
        PomeriumException? failure = await refresh.WaitAsync(cancellation).ConfigureAwait(false);
        if (refresh == before && failure is null)
        {
            await Join(verifier).WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private void Start(VerifierHandle verifier, TaskCompletionSource<PomeriumException?> refresh)
    {
        try
        {
            // Inherits nothing: the request that happens to need keys first must not be kept by it
            new Thread(() => Run(verifier, refresh), 256 * 1024) { IsBackground = true, Name = "pomerium-jwt-refresh" }.UnsafeStart();
        }
        catch (OutOfMemoryException)
        {
            Run(verifier, refresh); // no thread: the caller waits for it in any case
        }
    }

    private void Run(VerifierHandle verifier, TaskCompletionSource<PomeriumException?> refresh)
    {
        PomeriumException? failure = null;
        try
        {
            failure = Refresh(verifier);
        }
        catch (Exception wrong) // would end the process on this thread
        {
            failure = new PomeriumException(PomeriumErrorCode.Internal, "the keys could not be refreshed", cause: wrong);
        }
        finally
        {
            lock (gate)
            {
                running = null;
            }
            verifier.DangerousRelease();
            refresh.SetResult(failure);
        }
    }

    private unsafe PomeriumException? Refresh(VerifierHandle verifier)
    {
        int code = NativeMethods.pomerium_jwt_refresh(verifier, force ? 1 : 0, out byte* message);
        using var answer = new Answer(code, message, null);
        return code == 0 ? null : PomeriumVerifier.Refusal(verifier, code, answer.Text);
    }
}
