namespace Pomerium.Jwt;

/// <summary>The stable code of an error: a name, a number and a kind, the same in every language.</summary>
public enum PomeriumErrorCode
{
    /// <summary>The options are invalid; the message says how to fix them.</summary>
    InvalidOptions = 1,
    /// <summary>A method was called with an invalid argument.</summary>
    InvalidArgument = 2,
    /// <summary>No token: the request did not come through Pomerium, or <c>pass_identity_headers</c> is off.</summary>
    TokenMissing = 100,
    /// <summary>Several tokens in one request: Pomerium sends exactly one.</summary>
    TokenRepeated = 101,
    /// <summary>The token is longer than the option <c>MaxTokenBytes</c>.</summary>
    TokenTooLarge = 102,
    /// <summary>The text is not a JWT in compact serialization.</summary>
    TokenMalformed = 103,
    /// <summary>The token's <c>alg</c> is not one of the option <c>Algorithms</c>.</summary>
    AlgorithmNotAllowed = 104,
    /// <summary>The JOSE header has <c>crit</c>, or a <c>typ</c> other than JWT.</summary>
    HeaderUnsupported = 105,
    /// <summary>No key of the set fits the token: another deployment signed it, or its key was withdrawn.</summary>
    KeyNotFound = 106,
    /// <summary>The signature is invalid: the token was altered or signed with another key.</summary>
    SignatureInvalid = 107,
    /// <summary>The signed payload is not a strict JSON object of well-typed claims.</summary>
    ClaimsMalformed = 108,
    /// <summary>The token has expired; if it was just issued, check the clocks.</summary>
    TokenExpired = 109,
    /// <summary>The token is not valid yet; check the clocks.</summary>
    TokenNotYetValid = 110,
    /// <summary>The token was issued in the future; check the clocks.</summary>
    TokenIssuedInFuture = 111,
    /// <summary>The token was issued longer ago than the option <c>MaxTokenAge</c>.</summary>
    TokenTooOld = 112,
    /// <summary><c>iss</c> is not an expected issuer.</summary>
    IssuerMismatch = 113,
    /// <summary>The token is for another application.</summary>
    AudienceMismatch = 114,
    /// <summary>Nobody is signed in: the route is public.</summary>
    SubjectMissing = 115,
    /// <summary>A claim does not have a value that the option <c>ExpectClaims</c> accepts.</summary>
    ClaimMismatch = 116,
    /// <summary>The signing keys could not be loaded; see the message and the verifier's status. Try again later.</summary>
    KeysUnavailable = 200,
    /// <summary>The signing keys must be fetched first. <see cref="PomeriumVerifier"/> does so itself, and never gives this.</summary>
    KeysNeeded = 201,
    /// <summary>The key set has no usable key: is <c>signing_key</c> set in Pomerium?</summary>
    KeysEmpty = 202,
    /// <summary>The user is not in a group that the option <c>RequireGroup</c> or the route demands.</summary>
    GroupRequired = 300,
    /// <summary>A fault in this library or on this machine.</summary>
    Internal = 900,
}

/// <summary>What an error is about, which decides the HTTP status to answer with.</summary>
public enum PomeriumErrorKind
{
    /// <summary>An option or an argument is wrong: 500, or do not start.</summary>
    Options = 1,
    /// <summary>The token is refused: 401.</summary>
    Token = 2,
    /// <summary>There are no keys to check the token with: 503 with Retry-After.</summary>
    Keys = 3,
    /// <summary>A fault in the library or on the machine: 500.</summary>
    Internal = 4,
    /// <summary>The user is known and may not do this: 403.</summary>
    Access = 5,
}

/// <summary>What belongs to a code.</summary>
public static class PomeriumErrorCodes
{
    private static readonly Dictionary<PomeriumErrorCode, string> Names =
        Enum.GetValues<PomeriumErrorCode>().ToDictionary(code => code, code => SnakeCase(code.ToString()));

    /// <summary>The name that all languages have, such as <c>token_expired</c>; <c>internal</c> for an unknown number.</summary>
    public static string Name(this PomeriumErrorCode code) => Names.GetValueOrDefault(code, "internal");

    /// <summary>What errors with this code are about.</summary>
    public static PomeriumErrorKind Kind(this PomeriumErrorCode code) => code switch
    {
        PomeriumErrorCode.InvalidOptions or PomeriumErrorCode.InvalidArgument => PomeriumErrorKind.Options,
        >= PomeriumErrorCode.TokenMissing and <= PomeriumErrorCode.ClaimMismatch => PomeriumErrorKind.Token,
        >= PomeriumErrorCode.KeysUnavailable and <= PomeriumErrorCode.KeysEmpty => PomeriumErrorKind.Keys,
        PomeriumErrorCode.GroupRequired => PomeriumErrorKind.Access,
        _ => PomeriumErrorKind.Internal,
    };

    /// <summary>The HTTP status to answer with: 401, 403, 500 or 503.</summary>
    internal static int Status(this PomeriumErrorKind kind) => kind switch
    {
        PomeriumErrorKind.Token => 401,
        PomeriumErrorKind.Access => 403,
        PomeriumErrorKind.Keys => 503,
        _ => 500,
    };

    /// <summary>The code of this number; Internal for one that a newer native library may have.</summary>
    internal static PomeriumErrorCode Of(int number)
    {
        var code = (PomeriumErrorCode)number;
        return Names.ContainsKey(code) ? code : PomeriumErrorCode.Internal;
    }

    private static string SnakeCase(string name) =>
        string.Concat(name.Select((next, index) => (index > 0 && char.IsUpper(next) ? "_" : "") + char.ToLowerInvariant(next)));
}
