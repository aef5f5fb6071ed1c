using System.Diagnostics;
using System.Text.Json;

namespace Pomerium.Jwt.Tests;

/// <summary>A `pomerium-jwt issuer`, as conformance/scenarios.md describes it.</summary>
internal sealed class RunningIssuer : IDisposable
{
    private static readonly HttpClient Client = new();

    private readonly Process process;
    private bool ended;

    private RunningIssuer(Process process, string url)
    {
        this.process = process;
        Url = url;
    }

    internal static async Task<RunningIssuer> StartAsync()
    {
        var start = new ProcessStartInfo(Repository.Command, ["issuer", "--until-stdin-closes"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true, // not read: its one sentence fits into the pipe
        };
        Process process = Process.Start(start)!;
        string? line = await process.StandardOutput.ReadLineAsync();
        return line?.StartsWith("ready ") == true
            ? new(process, line["ready ".Length..])
            : throw new InvalidOperationException($"the issuer wrote {line}");
    }

    internal string Url { get; }

    /// <summary>Options of a verifier for its tokens.</summary>
    internal PomeriumOptions Options => new() { Route = [Url] };

    /// <summary>A token for alice.</summary>
    internal Task<string> MintAsync() => Client.GetStringAsync($"{Url}/mint?sub=alice");

    internal async Task PostAsync(string path) => (await Client.PostAsync(Url + path, null)).EnsureSuccessStatusCode();

    internal async Task<int> FetchesAsync() => Json.Parse(await Client.GetStringAsync($"{Url}/stats")).GetProperty("fetches").GetInt32();

    /// <summary>Ends it, which breaks all its connections.</summary>
    public void Dispose()
    {
        if (!ended)
        {
            ended = true;
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
