// An application behind Pomerium. The environment says which one:
// POMERIUM_JWT_ROUTE=https://app.example.com PORT=8000 dotnet run

using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Pomerium.Jwt;
using Pomerium.Jwt.AspNetCore;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.AddPomerium(); // POMERIUM_JWT_ROUTE, or builder.AddPomerium("https://app.example.com")

builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning); // as appsettings.json of the templates has it
builder.Logging.ClearProviders().AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.Services.AddCors();
string port = Environment.GetEnvironmentVariable("PORT") ?? "8000";
builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
// Room for a token with hundreds of groups; Kestrel's own limit is 32 KiB
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestHeadersTotalSize = 128 * 1024);

WebApplication app = builder.Build();

// In front of UsePomerium: answers preflights, and lets the browser read refusals too
if (Environment.GetEnvironmentVariable("CORS_ORIGIN") is { Length: > 0 } origin)
{
    app.UseCors(cors => cors.WithOrigins(origin).WithHeaders("Authorization").WithMethods("DELETE"));
}
if (Environment.GetEnvironmentVariable("REWRITE")?.Split('=') is [string from, string to])
{
    app.Use((context, next) =>
    {
        if (context.Request.Path == from)
        {
            context.Request.Path = to;
        }
        return next(context);
    });
    app.UseRouting(); // again, by the new path
}

app.UsePomerium(); // from here on every request is verified
app.UseWebSockets();

string[] read = ["GET", "HEAD"];
app.MapMethods("/", read, (HttpContext context) => Json(context.GetPomeriumIdentity()));
app.MapMethods("/admin", read, (HttpContext context) => Json(context.GetPomeriumIdentity()))
    .RequireAuthorization(policy => policy.RequireRole("admins"));
app.MapMethods("/health", read, (PomeriumVerifier verifier) => Json(verifier.Health()));
app.Map("/ws", async (HttpContext context) =>
{
    if (!context.WebSockets.IsWebSocketRequest)
    {
        return Reached(context);
    }
    using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
    byte[] subject = Encoding.UTF8.GetBytes(context.GetPomeriumIdentity()?.Subject ?? "");
    await socket.SendAsync(subject, WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    return Results.Empty;
});
app.MapFallback("{*path}", Reached);

await app.StartAsync();
Console.WriteLine(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
await app.WaitForShutdownAsync();

static IResult Reached(HttpContext context) => Json(new { reached = true, subject = context.GetPomeriumIdentity()?.Subject });

// Results.Json leaves null out, and under .NET 9 answers HEAD with a body
static IResult Json<T>(T value) => Results.Text(JsonSerializer.Serialize(value), "application/json");
