using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>The facts of a request that <see cref="PomeriumVerifier.Admit"/> decides on.</summary>
internal static class RequestFacts
{
    internal static PomeriumRequest Of(HttpContext context, string headerName) => new(
        Joined(context.Request.Headers[headerName]),
        Path(context),
        IsUpgrade(context),
        context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null);

    /// <summary>The path for people to read, whatever the request is routed by.</summary>
    internal static string ShownPath(HttpContext context) => Target(context) is { Length: > 0 } target
        ? target
        : context.Request.PathBase.Value + context.Request.Path.Value;

    private static string Joined(StringValues values) => values.Count == 1 ? values[0] ?? "" : string.Join(',', (string?[])values!);

    /// <summary>
    /// As the client sent it, if the application routes by it: nothing has been decoded, no dots have been removed, and no
    /// middleware in front has rewritten it.
    /// </summary>
    private static string Path(HttpContext context)
    {
        if (HttpMethods.IsConnect(context.Request.Method))
        {
            return "";
        }
        string routed = context.Request.PathBase.Value + context.Request.Path.Value;
        string? sent = Target(context);
        // TestServer and some hosts have no target: what is there has been decoded, which changes nothing in this alphabet
        return sent is { Length: > 0 } ? (sent == routed ? sent : "") : (IsPlain(routed) ? routed : "");
    }

    /// <summary>The request's target without its query, and in absolute form without scheme and authority.</summary>
    private static string? Target(HttpContext context)
    {
        string? target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (string.IsNullOrEmpty(target))
        {
            return target;
        }
        string path = target.Split('?', 2)[0];
        int authority = path.IndexOf("://", StringComparison.Ordinal);
        if (path[0] == '/' || authority < 0)
        {
            return path;
        }
        int begin = path.IndexOf('/', authority + 3);
        return begin < 0 ? "/" : path[begin..];
    }

    private static bool IsPlain(string path) => path.All(next => char.IsAsciiLetterOrDigit(next) || "._~-/".Contains(next));

    private static bool IsUpgrade(HttpContext context)
    {
        string upgrade = Joined(context.Request.Headers.Upgrade).Trim();
        return (upgrade.Length > 0 && !upgrade.Equals("h2c", StringComparison.OrdinalIgnoreCase))
            || (HttpMethods.IsConnect(context.Request.Method) && !HttpProtocol.IsHttp11(context.Request.Protocol))
            || context.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect == true
            || context.Features.Get<IHttpWebSocketFeature>()?.IsWebSocketRequest == true;
    }
}
