using System.Text;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>
/// Refusals, at most one line a second for each code, with a count and one path: clients choose how many there are, and on which
/// paths.
/// </summary>
internal sealed class RefusalLog(Action<string> write)
{
    private const int Longest = 200;

    private readonly object gate = new();
    private readonly Dictionary<PomeriumErrorCode, Burst> bursts = [];

    /// <summary>What has not been written yet of a code.</summary>
    private sealed record Burst(int More, string Last);

    internal void Refused(PomeriumException refusal, string path)
    {
        string line = $"{Shown(path)}: {refusal.Message}";
        lock (gate)
        {
            if (bursts.TryGetValue(refusal.Code, out Burst? burst))
            {
                bursts[refusal.Code] = new(burst.More + 1, line);
                return;
            }
            bursts[refusal.Code] = new(0, "");
        }
        write($"pomerium-jwt: refused {line}");
        _ = EndAsync(refusal.Code);
    }

    /// <summary>Writes after a second what has come in until then, and waits another second if anything has.</summary>
    private async Task EndAsync(PomeriumErrorCode code)
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            Burst burst;
            lock (gate)
            {
                burst = bursts[code];
                if (burst.More == 0)
                {
                    bursts.Remove(code);
                    return;
                }
                bursts[code] = new(0, "");
            }
            write($"pomerium-jwt: refused {burst.More} more within a second, the last one {burst.Last}");
        }
    }

    /// <summary>In quotes, short and printable: the client who sends a path writes no lines of their own into the log.</summary>
    private static string Shown(string path)
    {
        var shown = new StringBuilder("\"");
        foreach (char next in path.AsSpan(0, Math.Min(path.Length, Longest)))
        {
            _ = next is '"' or '\\' ? shown.Append('\\').Append(next)
                : next is < ' ' or > '~' ? shown.Append($"\\u{(int)next:x4}")
                : shown.Append(next);
        }
        return shown.Append(path.Length > Longest ? "...\"" : "\"").ToString();
    }
}
