using System.Diagnostics.Metrics;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>The meter "Pomerium.Jwt". Holds no user, path or token.</summary>
internal sealed class PomeriumMetrics : IDisposable
{
    private readonly Meter meter;
    private readonly PomeriumVerifier verifier;

    public PomeriumMetrics(PomeriumVerifier verifier, IMeterFactory? meters = null)
    {
        this.verifier = verifier;
        meter = meters?.Create(PomeriumDefaults.Meter) ?? new Meter(PomeriumDefaults.Meter);
        meter.CreateObservableCounter("pomerium.jwt.verifications", Verifications, "{verification}", "Answers by code.");
        meter.CreateObservableCounter("pomerium.jwt.fetches", Fetches, "{fetch}", "Fetches of the key set by result.");
        meter.CreateObservableGauge("pomerium.jwt.keys.age", Age, "s", "The time since the key set in use was asked for.");
        meter.CreateObservableGauge("pomerium.jwt.keys.usable", Usable, "{key}", "Keys that tokens are verified with.");
    }

    public void Dispose() => meter.Dispose();

    private IEnumerable<Measurement<long>> Verifications() =>
        verifier.Status().Counts.Select(count => new Measurement<long>(count.Value, new KeyValuePair<string, object?>("code", count.Key)));

    private IEnumerable<Measurement<long>> Fetches()
    {
        PomeriumStatus status = verifier.Status();
        yield return new(status.Fetches - status.FetchFailures, new KeyValuePair<string, object?>("result", "success"));
        yield return new(status.FetchFailures, new KeyValuePair<string, object?>("result", "failure"));
    }

    private IEnumerable<Measurement<double>> Age() => verifier.Status().Age is TimeSpan age ? [new(age.TotalSeconds)] : [];

    private long Usable() => verifier.Status().Keys.Count(key => key.Usable);
}
