using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>
/// The scheme "Pomerium": tells ASP.NET Core whom UsePomerium has let in. Verifies nothing itself, so that no bad token can pass
/// as nobody.
/// </summary>
internal sealed class PomeriumHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, PomeriumGuard guard)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private PomeriumAdmission Admission => Context.Features.Get<PomeriumAdmission>() ?? throw new InvalidOperationException(
        "nothing has been verified: app.UsePomerium() must come before app.UseAuthentication() and whatever asks who is calling");

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Admission.Identity is not { IsUser: true } identity)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }
        // SignalR closes a connection then, if CloseOnAuthenticationExpiration is set
        var properties = new AuthenticationProperties { ExpiresUtc = identity.ExpiresAt };
        return Task.FromResult(AuthenticateResult.Success(new(Principal(identity), properties, Scheme.Name)));
    }

    /// <summary>A route demands a user, and the request got in without one.</summary>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        try
        {
            Admission.RequireUser();
        }
        catch (PomeriumException refusal)
        {
            return guard.RefuseAsync(Context, refusal);
        }
        return HandleForbiddenAsync(properties);
    }

    /// <summary>A route's policy or roles have no place for this user.</summary>
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        guard.RefuseAsync(Context, PomeriumException.Forbidden());

    private ClaimsPrincipal Principal(PomeriumIdentity identity)
    {
        var claims = new ClaimsIdentity(Scheme.Name, PomeriumClaims.Name, PomeriumClaims.Role);
        claims.AddClaim(Claim(ClaimTypes.NameIdentifier, identity.Subject));
        claims.AddClaim(Claim(PomeriumClaims.Name, identity.Name ?? identity.Email ?? identity.Subject));
        if (identity.Email is string email)
        {
            claims.AddClaim(Claim(ClaimTypes.Email, email));
        }
        foreach (string group in identity.Groups)
        {
            claims.AddClaim(Claim(PomeriumClaims.Role, group));
        }
        foreach (JsonProperty member in identity.Claims.EnumerateObject())
        {
            Add(claims, member.Name, member.Value);
        }
        return new ClaimsPrincipal(claims);

        Claim Claim(string type, string value, string? valueType = null) => new(type, value, valueType, identity.Issuer);

        // A list is as many claims, as ASP.NET Core has it elsewhere; objects are JSON
        void Add(ClaimsIdentity to, string name, JsonElement value)
        {
            if (value.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement entry in value.EnumerateArray())
                {
                    to.AddClaim(Claim(name, entry.ToString(), TypeOf(entry)));
                }
            }
            else if (value.ValueKind != JsonValueKind.Null)
            {
                to.AddClaim(Claim(name, value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetRawText() : value.ToString(), TypeOf(value)));
            }
        }
    }

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => ClaimValueTypes.Boolean,
        JsonValueKind.Number => value.TryGetInt64(out _) ? ClaimValueTypes.Integer64 : ClaimValueTypes.Double,
        JsonValueKind.Object or JsonValueKind.Array => "JSON",
        _ => ClaimValueTypes.String,
    };
}

/// <summary>
/// The types of the principal's claims that ASP.NET Core reads: types that no claim of a token has by accident.
/// </summary>
internal static class PomeriumClaims
{
    internal const string Name = ClaimTypes.Name;
    internal const string Role = ClaimTypes.Role;
}
