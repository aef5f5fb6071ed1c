using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pomerium.Jwt.AspNetCore;
using Pomerium.Jwt.Testing;

namespace Pomerium.Jwt.Tests;

/// <summary>An application under Kestrel, on loopback, that takes the tokens of a test issuer.</summary>
internal sealed class RunningApplication : IAsyncDisposable
{
    private RunningApplication(WebApplication application, PomeriumTestIssuer issuer, ConcurrentQueue<string> log, Uri url)
    {
        Application = application;
        Issuer = issuer;
        Log = log;
        Client = new HttpClient { BaseAddress = url };
    }

    internal WebApplication Application { get; }

    internal PomeriumTestIssuer Issuer { get; }

    internal ConcurrentQueue<string> Log { get; }

    internal HttpClient Client { get; }

    internal Uri Url => Client.BaseAddress!;

    internal static async Task<RunningApplication> StartAsync(
        Action<WebApplication> use,
        Action<WebApplicationBuilder>? add = null,
        Action<PomeriumSettings>? configure = null,
        HttpProtocols protocols = HttpProtocols.Http1)
    {
        var issuer = new PomeriumTestIssuer();
        var log = new ConcurrentQueue<string>();
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(new Lines(log));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        builder.AddPomerium(configure: settings =>
        {
            settings.Options = issuer.CreateOptions();
            configure?.Invoke(settings);
        });
        add?.Invoke(builder);
        WebApplication application = builder.Build();
        use(application);
        try
        {
            await application.StartAsync();
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
        string url = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new(application, issuer, log, new Uri(url));
    }

    /// <summary>The answer to a GET, as status and body.</summary>
    internal async Task<string> GetAsync(string path, string? token = null)
    {
        using HttpResponseMessage answer = await SendAsync(path, token);
        return $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
    }

    internal Task<HttpResponseMessage> SendAsync(string path, string? token = null, HttpMethod? method = null)
    {
        var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (token is not null)
        {
            request.Headers.Add(PomeriumTestIssuer.Header, token);
        }
        return Client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Application.DisposeAsync();
    }

    /// <summary>Keeps what is logged.</summary>
    private sealed class Lines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string category) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel level) => level >= LogLevel.Information;

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? error, Func<TState, Exception?, string> format) =>
            lines.Enqueue($"{level} {format(state, error)} {error?.Message}");

        public void Dispose()
        {
        }
    }
}
