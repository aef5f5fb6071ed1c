using System.Text.Json;

namespace Pomerium.Jwt;

/// <summary>The facts of a request that <see cref="PomeriumVerifier.Admit"/> decides on.</summary>
/// <param name="Token">All values of the header, joined by commas; empty if there is none.</param>
/// <param name="Path">
/// The path as the client sent it, whole, undecoded and without the query; empty, which is never exempt, if a later handler
/// routes by something else.
/// </param>
/// <param name="Upgrade">Whether it asks for an upgrade to anything but h2c, or is a CONNECT of HTTP/2 or HTTP/3.</param>
/// <param name="MarkedPublic">Whether the web framework itself marks this endpoint as public.</param>
public readonly record struct PomeriumRequest(string? Token, string? Path, bool Upgrade = false, bool MarkedPublic = false)
{
    /// <summary>Shows no token.</summary>
    public override string ToString() => $"PomeriumRequest {{ Path = {Path}, Upgrade = {Upgrade}, MarkedPublic = {MarkedPublic} }}";
}

/// <summary>A request that got in: with an identity, or without one because it needs no token.</summary>
public sealed class PomeriumAdmission
{
    /// <summary>The admission of nobody.</summary>
    internal static readonly PomeriumAdmission Passed = new(null);

    internal PomeriumAdmission(PomeriumIdentity? identity) => Identity = identity;

    /// <summary>
    /// Who is calling. Null if the request got in without a token, by the options <c>Optional</c> or <c>ExemptPaths</c> or
    /// because its endpoint is marked as public.
    /// </summary>
    public PomeriumIdentity? Identity { get; }

    /// <summary>The identity of a signed-in user, for a route that demands one.</summary>
    /// <exception cref="PomeriumException">
    /// TokenMissing if the request passed without a token, SubjectMissing if its identity is anonymous.
    /// </exception>
    public PomeriumIdentity RequireUser()
    {
        if (Identity is null)
        {
            throw new PomeriumException(
                PomeriumErrorCode.TokenMissing, "this route demands a signed-in user, and the request passed without a token");
        }
        if (!Identity.IsUser)
        {
            throw new PomeriumException(PomeriumErrorCode.SubjectMissing, "this route demands a signed-in user, and sub is empty");
        }
        return Identity;
    }

    /// <summary>The identity of a signed-in user who is in at least one of these groups.</summary>
    /// <exception cref="PomeriumException">
    /// As <see cref="RequireUser"/>; GroupRequired if the user is in none of them; InvalidArgument without names of groups.
    /// </exception>
    public PomeriumIdentity RequireGroup(params string[] groups)
    {
        if (groups.Length == 0)
        {
            throw new PomeriumException(PomeriumErrorCode.InvalidArgument, "RequireGroup got no groups: name at least one");
        }
        PomeriumIdentity user = RequireUser();
        if (!user.InAnyGroup(groups))
        {
            throw new PomeriumException(
                PomeriumErrorCode.GroupRequired, $"the user is in none of the groups that this route demands: {Quoted(groups)}");
        }
        return user;
    }

    /// <summary>A handful of groups in a message.</summary>
    private static string Quoted(string[] groups)
    {
        const int shown = 4;
        string quoted = string.Join(", ", groups.Take(shown).Select(group => $"\"{JsonEncodedText.Encode(group)}\""));
        return groups.Length > shown ? quoted + ", ..." : quoted;
    }

    /// <summary>Shows no personal data.</summary>
    public override string ToString() => Identity is null ? "PomeriumAdmission { passed }" : $"PomeriumAdmission {{ {Identity} }}";
}
