using Microsoft.AspNetCore.Http;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>Who is calling, for handlers.</summary>
public static class PomeriumContext
{
    /// <summary>How the request got in.</summary>
    /// <exception cref="InvalidOperationException">UsePomerium has not run before.</exception>
    public static PomeriumAdmission GetPomerium(this HttpContext context) =>
        context.Features.Get<PomeriumAdmission>()
            ?? throw new InvalidOperationException("nothing has been verified: app.UsePomerium() must come before this");

    /// <summary>
    /// Who is calling; null if the request got in without a token, by an option or because its endpoint is marked with
    /// AllowAnonymous.
    /// </summary>
    /// <exception cref="InvalidOperationException">UsePomerium has not run before.</exception>
    public static PomeriumIdentity? GetPomeriumIdentity(this HttpContext context) => context.GetPomerium().Identity;

    /// <summary>
    /// The signed-in user. If there is none the answer is 401 by itself, unless the handler has begun its own.
    /// </summary>
    /// <exception cref="PomeriumException">Nobody is signed in.</exception>
    public static PomeriumIdentity RequirePomeriumUser(this HttpContext context) => context.GetPomerium().RequireUser();

    /// <summary>The signed-in user, who is in at least one of these groups. Otherwise the answer is 401 or 403 by itself.</summary>
    /// <exception cref="PomeriumException">Nobody is signed in, or somebody without these groups.</exception>
    public static PomeriumIdentity RequirePomeriumGroup(this HttpContext context, params string[] groups) =>
        context.GetPomerium().RequireGroup(groups);

    /// <summary>
    /// Cancelled when the token of this request expires, or the request ends: for WebSockets and other long answers that must not
    /// outlive the user's session.
    /// </summary>
    public static CancellationToken PomeriumExpiry(this HttpContext context)
    {
        PomeriumIdentity identity = context.RequirePomeriumUser();
        var source = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        context.Response.RegisterForDispose(source);
        TimeSpan left = identity.ExpiresAt - DateTimeOffset.UtcNow;
        TimeSpan longest = TimeSpan.FromDays(40); // a timer takes no more
        source.CancelAfter(left < TimeSpan.Zero ? TimeSpan.Zero : left > longest ? longest : left);
        return source.Token;
    }
}
