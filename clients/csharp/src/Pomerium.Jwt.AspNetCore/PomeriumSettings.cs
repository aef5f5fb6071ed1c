using Microsoft.AspNetCore.Http;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>What an application sets in code, in addition to the options of the environment.</summary>
public sealed class PomeriumSettings
{
    /// <summary>
    /// The options. Those of the configuration's section <c>Authentication:Schemes:Pomerium</c> are in it already; what is set
    /// here or there wins over the environment variable, option by option.
    /// </summary>
    public PomeriumOptions Options { get; set; } = new();

    /// <summary>A verifier that was made before: then neither options nor the environment are read. It is disposed of with the application.</summary>
    public PomeriumVerifier? Verifier { get; set; }

    /// <summary>
    /// Writes the body of a refusal. Status and headers of the refusal are set and stay what they are; whatever this does, the
    /// request does not get in. Show nothing but the code to the client.
    /// </summary>
    public Func<HttpContext, PomeriumException, Task>? ErrorHandler { get; set; }

    /// <summary>
    /// Called for each refusal with the path that the client chose, instead of the warning in the log, which comes at most once
    /// a second for the same code.
    /// </summary>
    public Action<PomeriumException, string>? OnRefused { get; set; }
}
