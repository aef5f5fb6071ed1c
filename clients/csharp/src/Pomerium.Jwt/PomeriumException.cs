using System.Globalization;

namespace Pomerium.Jwt;

/// <summary>
/// A refusal, or why something could not be done. <see cref="Status"/>, <see cref="Headers"/> and <see cref="Body"/> are the
/// response to send; <see cref="Exception.Message"/> is for the log alone.
/// </summary>
public sealed class PomeriumException : Exception
{
    private readonly Response? response;

    /// <summary>The response to a request that was refused, as the core wrote it.</summary>
    internal sealed record Response(int Status, IReadOnlyDictionary<string, string> Headers, string Body);

    internal PomeriumException(
        PomeriumErrorCode code, string reason, TimeSpan? retryAfter = null, Response? response = null, Exception? cause = null)
        : base($"{code.Name()}: {reason}", cause)
    {
        Code = code;
        Reason = reason;
        RetryAfter = retryAfter;
        this.response = response;
    }

    /// <summary>
    /// What an integration answers with if a rule of the web framework itself, such as a policy, has no place for the user.
    /// </summary>
    public static PomeriumException Forbidden() =>
        new(PomeriumErrorCode.GroupRequired, "the user does not meet what this route demands");

    /// <summary>The stable code.</summary>
    public PomeriumErrorCode Code { get; }

    /// <summary>What the error is about.</summary>
    public PomeriumErrorKind Kind => Code.Kind();

    /// <summary>A sentence for logs, without the code. Never for the client.</summary>
    public string Reason { get; }

    /// <summary>The HTTP status to answer with: 401, 403, 500 or 503.</summary>
    public int Status => response?.Status ?? Kind.Status();

    /// <summary>After how long it makes sense to try again, if keys are missing and are fetched. At least a second.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>The headers of the response.</summary>
    public IReadOnlyDictionary<string, string> Headers => response?.Headers ?? OwnHeaders();

    /// <summary>The body of the response, <c>{"error":"token_expired"}</c>: the code and nothing else.</summary>
    public string Body => response?.Body ?? $$"""{"error":"{{Code.Name()}}"}""";

    private Dictionary<string, string> OwnHeaders()
    {
        var headers = new Dictionary<string, string>
        {
            ["Content-Type"] = "application/json",
            ["Cache-Control"] = "no-store",
        };
        if (Status == 401)
        {
            headers["WWW-Authenticate"] = "Bearer error=\"invalid_token\"";
        }
        if (RetryAfter is TimeSpan wait)
        {
            headers["Retry-After"] = ((long)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }
        return headers;
    }
}
