using System.Diagnostics.Metrics;
using System.Net;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Pomerium.Jwt.AspNetCore;
using Pomerium.Jwt.Testing;
using Xunit;

namespace Pomerium.Jwt.Tests;

public class AspNetCoreTests
{
    private const string Missing = """401 {"error":"token_missing"}""";

    private static void Hello(WebApplication app)
    {
        app.UsePomerium();
        app.MapGet("/", (HttpContext context) => $"hello {context.GetPomeriumIdentity()?.Subject}");
    }

    [Fact]
    public async Task FiveLinesProtectAnApplication()
    {
        await using RunningApplication app = await RunningApplication.StartAsync(Hello);
        Assert.Equal(Missing, await app.GetAsync("/"));
        Assert.Equal(Missing, await app.GetAsync("/unknown"));
        Assert.Equal("200 hello alice", await app.GetAsync("/", app.Issuer.Token()));
        Assert.Equal("404 ", await app.GetAsync("/unknown", app.Issuer.Token()));
        using HttpResponseMessage refused = await app.SendAsync("/", app.Issuer.ExpiredToken());
        Assert.Equal("no-store", refused.Headers.CacheControl!.ToString());
        Assert.Equal("Bearer error=\"invalid_token\"", refused.Headers.WwwAuthenticate.ToString());
        Assert.Contains("Information pomerium-jwt: accepts", app.Log.First());
        Assert.Contains("token_missing", string.Join("\n", app.Log));
    }

    [Fact]
    public async Task AllowAnonymousIsHonouredAndNothingElse()
    {
        await using RunningApplication app = await RunningApplication.StartAsync(app =>
        {
            app.UsePomerium();
            app.MapGet("/public", (HttpContext context) => $"hello {context.GetPomeriumIdentity()?.Subject}").AllowAnonymous();
            app.MapGet("/private", () => "no");
        });
        Assert.Equal("200 hello ", await app.GetAsync("/public"));
        Assert.Equal("200 hello alice", await app.GetAsync("/public", app.Issuer.Token()));
        Assert.Equal("""401 {"error":"token_expired"}""", await app.GetAsync("/public", app.Issuer.ExpiredToken()));
        Assert.Equal(Missing, await app.GetAsync("/private"));
        var upgrade = new HttpRequestMessage(HttpMethod.Get, "/public");
        upgrade.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        upgrade.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        using HttpResponseMessage refused = await app.Client.SendAsync(upgrade);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task RolesPoliciesAndClaims()
    {
        await using RunningApplication app = await RunningApplication.StartAsync(
            app =>
            {
                app.UsePomerium();
                app.MapGet("/user", (ClaimsPrincipal user) => $"{user.Identity!.Name} {user.FindFirstValue(ClaimTypes.NameIdentifier)} {user.FindFirstValue("level")} {user.IsInRole("a,b")}");
                app.MapGet("/admin", () => "admin").RequireAuthorization(policy => policy.RequireRole("admins"));
                app.MapGet("/level", () => "level").RequireAuthorization(policy => policy.RequireClaim("level", "7"));
                app.MapGet("/any", () => "any").RequireAuthorization();
                app.MapGet("/group", (HttpContext context) => context.RequirePomeriumGroup("admins").Subject);
                app.MapControllers();
            },
            builder => builder.Services.AddControllers().AddApplicationPart(typeof(AspNetCoreTests).Assembly),
            settings => settings.Options.Optional = true);
        string token = app.Issuer.Token("bob", ["admins", "a,b"], new Dictionary<string, object?> { ["level"] = 7 });
        string other = app.Issuer.Token("bob", ["staff"]);
        const string forbidden = """403 {"error":"group_required"}""";
        Assert.Equal("200 Bob bob 7 True", await app.GetAsync("/user", token));
        Assert.Equal("200 admin", await app.GetAsync("/admin", token));
        Assert.Equal("200 level", await app.GetAsync("/level", token));
        Assert.Equal("200 bob", await app.GetAsync("/group", token));
        Assert.Equal("200 mvc bob", await app.GetAsync("/mvc", token));
        foreach (string path in new[] { "/admin", "/level", "/group", "/mvc" })
        {
            Assert.Equal(forbidden, await app.GetAsync(path, other));
            Assert.Equal(Missing, await app.GetAsync(path));
        }
        Assert.Equal("200 any", await app.GetAsync("/any", other));
        Assert.Equal(Missing, await app.GetAsync("/any"));
    }

    /// <summary>What its users put before and after it.</summary>
    [Fact]
    public async Task AmongOtherMiddleware()
    {
        await using RunningApplication app = await RunningApplication.StartAsync(
            app =>
            {
                app.UseResponseCompression();
                app.UseExceptionHandler("/error");
                app.UseStatusCodePagesWithReExecute("/error");
                app.UseCors(cors => cors.WithOrigins("https://other.example.com"));
                app.UsePathBase("/base");
                app.UsePomerium();
                app.UseHttpMethodOverride();
                app.UseStaticFiles();
                app.UseSession();
                app.MapGet("/base-less", () => "pong");
                app.MapGet("/error", () => "error page");
                app.MapGet("/throws", string () => throw new InvalidOperationException("secret"));
                app.Map("/branch", branch => branch.Run(context => context.Response.WriteAsync("branch")));
            },
            builder =>
            {
                builder.Services.AddResponseCompression();
                builder.Services.AddCors();
                builder.Services.AddDistributedMemoryCache().AddSession();
            },
            settings => settings.Options.ExemptPaths = ["/base/base-less"]);
        string token = app.Issuer.Token();
        Assert.Equal("200 pong", await app.GetAsync("/base/base-less"));
        Assert.Equal(Missing, await app.GetAsync("/base-less"));
        Assert.Equal(Missing, await app.GetAsync("/branch"));
        Assert.Equal(Missing, await app.GetAsync("/static.css"));
        Assert.Equal(Missing, await app.GetAsync("/error"));
        Assert.Equal("500 error page", await app.GetAsync("/throws", token));
        Assert.Equal("200 pong", await app.GetAsync("/base-less", token));
        using HttpRequestMessage preflight = new(HttpMethod.Options, "/base-less");
        preflight.Headers.Add("Origin", "https://other.example.com");
        preflight.Headers.Add("Access-Control-Request-Method", "GET");
        using HttpResponseMessage answered = await app.Client.SendAsync(preflight);
        Assert.Equal(HttpStatusCode.NoContent, answered.StatusCode);
    }

    [Fact]
    public async Task ErrorHandlerWritesTheBodyAndNothingElse()
    {
        int reported = 0;
        await using RunningApplication app = await RunningApplication.StartAsync(Hello, configure: settings =>
        {
            settings.OnRefused = (refusal, path) => reported += path == "/x" ? 1 : 0;
            settings.ErrorHandler = async (context, refusal) =>
            {
                context.Response.StatusCode = 200;
                context.Response.Headers.Clear();
                context.Response.ContentType = "text/plain";
                await context.Response.WriteAsync($"sorry: {refusal.Code.Name()}");
            };
        });
        using HttpResponseMessage refused = await app.SendAsync("/x");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("no-store", refused.Headers.CacheControl!.ToString());
        Assert.Equal("text/plain", refused.Content.Headers.ContentType!.ToString());
        Assert.Equal("sorry: token_missing", await refused.Content.ReadAsStringAsync());
        Assert.Equal(1, reported);
    }

    [Fact]
    public async Task MistakesStopTheStart()
    {
        PomeriumException wrong = await Assert.ThrowsAsync<PomeriumException>(
            () => RunningApplication.StartAsync(Hello, configure: settings => settings.Options.Leeway = TimeSpan.FromDays(2)));
        Assert.Contains("leeway", wrong.Message);
        InvalidOperationException unused = await Assert.ThrowsAsync<InvalidOperationException>(() => RunningApplication.StartAsync(_ => { }));
        Assert.Contains("app.UsePomerium()", unused.Message);
        InvalidOperationException missing = Assert.Throws<InvalidOperationException>(() => WebApplication.Create().UsePomerium());
        Assert.Contains("builder.AddPomerium()", missing.Message);
    }

    [Fact]
    public async Task AuthenticationInFrontNeverPasses()
    {
        await using RunningApplication app = await RunningApplication.StartAsync(app =>
        {
            app.UseAuthentication();
            Hello(app);
        });
        Assert.Equal("500 ", await app.GetAsync("/", app.Issuer.Token()));
        Assert.Contains("must come before app.UseAuthentication()", string.Join("\n", app.Log));
    }

    [Fact]
    public void TheConfigurationIsReadStrictly()
    {
        static PomeriumVerifier Configured(params string[] members)
        {
            WebApplicationBuilder builder = WebApplication.CreateBuilder();
            builder.Configuration.AddInMemoryCollection(members.Select(member => member.Split('=', 2)).Select(member =>
                new KeyValuePair<string, string?>($"Authentication:Schemes:Pomerium:{member[0]}", member[1])));
            builder.AddPomerium();
            return builder.Build().Services.GetRequiredService<PomeriumVerifier>();
        }

        PomeriumStatus status = Configured(
            "route=https://app.example.com", "RequireGroup:0=a,b", "RequireGroup:1=c", "ExemptPaths=/health", "Leeway=30",
            "AllowAnonymous=true", "ExpectClaims:hd:0=example.com", "MaxTokenBytes=4096").Status();
        Assert.Equal(new[] { "a,b", "c" }, status.RequireGroup);
        Assert.Equal(new[] { "/health" }, status.ExemptPaths);
        foreach ((string member, string said) in new[]
        {
            ("Rout=x", "Pomerium:Rout is not an option"),
            ("Optional=yes", "true or false"),
            ("Leeway=1.5", "whole seconds"),
            ("MaxTokenBytes=many", "a whole number"),
            ("JwksUrl:0=https://a.example.com", "one value"),
        })
        {
            Assert.Contains(said, Assert.Throws<ArgumentException>(() => Configured("Route=https://app.example.com", member)).Message);
        }
    }

    [Fact]
    public async Task HealthAndMetrics()
    {
        var measured = new Dictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == PomeriumDefaults.Meter)
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            lock (measured)
            {
                string name = instrument.Name + (tags.Length > 0 ? $" {tags[0].Value}" : "");
                measured[name] = measured.GetValueOrDefault(name) + value;
            }
        });
        listener.Start();
        await using RunningApplication app = await RunningApplication.StartAsync(
            app =>
            {
                Hello(app);
                app.MapHealthChecks("/ready", new() { Predicate = check => check.Tags.Contains("ready") }).AllowAnonymous();
            },
            builder => builder.Services.AddHealthChecks().AddPomerium());
        Assert.Equal("200 Healthy", await app.GetAsync("/ready"));
        await app.GetAsync("/", app.Issuer.Token());
        listener.RecordObservableInstruments();
        Assert.True(measured["pomerium.jwt.verifications ok"] >= 1);
        Assert.True(measured["pomerium.jwt.keys.usable"] >= 1);
    }

    [Fact]
    public async Task HttpTwoAndItsWebSockets()
    {
        await using RunningApplication app = await RunningApplication.StartAsync(
            app =>
            {
                Hello(app);
                app.UseWebSockets();
                app.Map("/ws", SubjectAsync).AllowAnonymous();
            },
            protocols: HttpProtocols.Http2);
        app.Client.DefaultRequestVersion = HttpVersion.Version20;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        async Task<string> Get(string? token)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            if (token is not null)
            {
                request.Headers.Add(PomeriumTestIssuer.Header, token);
            }
            using HttpResponseMessage answer = await app.Client.SendAsync(request);
            Assert.Equal(HttpVersion.Version20, answer.Version);
            return $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
        }
        Assert.Equal(Missing, await Get(null));
        Assert.Equal("200 hello alice", await Get(app.Issuer.Token()));
        Assert.Equal("alice", await OpenAsync(app, HttpVersion.Version20, app.Issuer.Token()));
        // Marked as public, and an upgrade all the same
        await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync(app, HttpVersion.Version20, null));
    }

    private static async Task SubjectAsync(HttpContext context)
    {
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        await socket.SendAsync(Encoding.UTF8.GetBytes(context.GetPomeriumIdentity()?.Subject ?? ""), WebSocketMessageType.Text, true, default);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
    }

    private static async Task<string> OpenAsync(RunningApplication app, Version version, string? token)
    {
        using ClientWebSocket socket = await ConnectAsync(app, "/ws", version, token);
        byte[] buffer = new byte[4096];
        WebSocketReceiveResult received = await socket.ReceiveAsync(buffer, default);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    private static async Task<ClientWebSocket> ConnectAsync(RunningApplication app, string path, Version version, string? token)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = version;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        if (token is not null)
        {
            socket.Options.SetRequestHeader(PomeriumTestIssuer.Header, token);
        }
        await socket.ConnectAsync(new UriBuilder(app.Url) { Scheme = "ws", Path = path }.Uri, new HttpMessageInvoker(new SocketsHttpHandler()), default);
        return socket;
    }

    [Fact]
    public async Task HubsAndSocketsCloseWhenTheTokenExpires()
    {
        await using RunningApplication app = await RunningApplication.StartAsync(
            app =>
            {
                app.UsePomerium();
                app.UseWebSockets();
                app.MapHub<NameHub>("/hub", hub => hub.CloseOnAuthenticationExpiration = true);
                app.Map("/ws", async (HttpContext context) =>
                {
                    using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
                    await Task.Delay(Timeout.Infinite, context.PomeriumExpiry()).ContinueWith(_ => { });
                    await socket.CloseAsync(WebSocketCloseStatus.PolicyViolation, "expired", default);
                });
            },
            builder => builder.Services.AddSignalR());
        var soon = new Dictionary<string, object?> { ["exp"] = DateTimeOffset.UtcNow.AddSeconds(3) };
        string token = app.Issuer.Token(claims: soon);
        await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(app, "/hub", HttpVersion.Version11, null));
        using ClientWebSocket hub = await ConnectAsync(app, "/hub", HttpVersion.Version11, token);
        await hub.SendAsync(Encoding.UTF8.GetBytes("{\"protocol\":\"json\",\"version\":1}\u001e"), WebSocketMessageType.Text, true, default);
        await hub.SendAsync(Encoding.UTF8.GetBytes("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Name\",\"arguments\":[]}\u001e"), WebSocketMessageType.Text, true, default);
        using ClientWebSocket socket = await ConnectAsync(app, "/ws", HttpVersion.Version11, token);
        Assert.Contains("\"result\":\"Alice\"", await ReadToEndAsync(hub));
        await ReadToEndAsync(socket);
        Assert.Equal("expired", socket.CloseStatusDescription);
    }

    private static async Task<string> ReadToEndAsync(WebSocket socket)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[4096];
        while (socket.State == WebSocketState.Open)
        {
            WebSocketReceiveResult received = await socket.ReceiveAsync(buffer, default);
            text.Append(Encoding.UTF8.GetString(buffer, 0, received.Count));
        }
        return text.ToString();
    }
}

/// <summary>A hub that says who is calling.</summary>
public class NameHub : Hub
{
    /// <summary>The user's name.</summary>
    public string? Name() => Context.User?.Identity?.Name;
}

/// <summary>A controller of MVC.</summary>
public class MvcController : ControllerBase
{
    /// <summary>For admins alone.</summary>
    [HttpGet("/mvc"), Authorize(Roles = "admins")]
    public string Get() => $"mvc {User.FindFirstValue(ClaimTypes.NameIdentifier)}";
}
