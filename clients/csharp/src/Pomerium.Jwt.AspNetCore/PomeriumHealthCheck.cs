using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>Readiness: whether this instance can verify. Asking starts a fetch that is due, and never waits.</summary>
internal sealed class PomeriumHealthCheck(PomeriumVerifier verifier) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellation = default)
    {
        PomeriumHealth health = verifier.Health();
        return Task.FromResult(
            !health.Ready ? new HealthCheckResult(context.Registration.FailureStatus, "no keys to verify tokens with")
            : health.Stale ? HealthCheckResult.Degraded("the keys are old, and the key server fails")
            : HealthCheckResult.Healthy());
    }
}
