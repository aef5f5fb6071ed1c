using Microsoft.Extensions.Hosting;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>Stops an application at its start if its options are wrong or nothing protects it.</summary>
internal sealed class PomeriumStart(PomeriumGuard guard) : IHostedLifecycleService
{
    // The guard has its verifier: wrong options have thrown by now
    public Task StartingAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>By now every kind of host has built its pipeline.</summary>
    public Task StartedAsync(CancellationToken cancellation) => guard.IsUsed
        ? Task.CompletedTask
        : throw new InvalidOperationException("builder.AddPomerium() alone protects nothing: add app.UsePomerium() to Program.cs");

    public Task StoppingAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellation) => Task.CompletedTask;
}
