using System.Collections;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Pomerium.Jwt;

/// <summary>
/// Verifies Pomerium's tokens. Make one for an application and share it between threads. Calls answer at once if they can; if
/// keys have to be fetched first, all callers wait for one fetch, at most for the option <c>Timeout</c>.
/// </summary>
/// <remarks>
/// After <see cref="Dispose"/> every method throws <see cref="ObjectDisposedException"/>; calls that run come to their end. An
/// application that uses its verifier to its end need not dispose of it.
/// </remarks>
public sealed class PomeriumVerifier : IDisposable
{
    private readonly VerifierHandle handle;
    private readonly KeyRefreshes wanted;
    private readonly KeyRefreshes forced;
    private volatile bool disposed;

    /// <summary>Makes a verifier for the application with this route: its <c>from:</c> URL in Pomerium.</summary>
    /// <exception cref="PomeriumException">As of the constructor with options.</exception>
    public PomeriumVerifier(string route) : this(new PomeriumOptions { Route = [route] })
    {
    }

    /// <summary>Makes a verifier. Touches no network; files named in the options are read now.</summary>
    /// <exception cref="PomeriumException">
    /// InvalidOptions, in a sentence that says what to write instead; Internal if the native library cannot be loaded.
    /// </exception>
    public PomeriumVerifier(PomeriumOptions options) : this(Create(options.ToJson()), new(false), new(true), null)
    {
    }

    private PomeriumVerifier(VerifierHandle handle, KeyRefreshes wanted, KeyRefreshes forced, string? warning)
    {
        this.handle = handle;
        this.wanted = wanted;
        this.forced = forced;
        Warning = warning;
        using JsonDocument description = JsonDocument.Parse(Describe());
        Summary = description.RootElement.GetProperty("summary").GetString() ?? "";
        HeaderName = description.RootElement.GetProperty("header_name").GetString() ?? "";
    }

    /// <summary>
    /// Makes a verifier with options as the JSON object that all languages have: <c>{"route":"https://app.example.com"}</c>.
    /// </summary>
    /// <exception cref="PomeriumException">As of the constructor.</exception>
    public static PomeriumVerifier FromJson(string optionsJson) => new(Create(optionsJson), new(false), new(true), null);

    /// <summary>
    /// Makes a verifier with the options of the environment, POMERIUM_JWT_ROUTE and so on: lists are separated by commas, objects
    /// are JSON, an empty variable counts as not set.
    /// </summary>
    /// <exception cref="PomeriumException">InvalidOptions, in a sentence that names the variable.</exception>
    public static PomeriumVerifier FromEnvironment() => OverEnvironment(new PomeriumOptions());

    /// <summary>
    /// Lays options given in code over those of the environment, so that operators can add a demand: code wins, option by option,
    /// and a key source in code replaces the environment's. See <see cref="Warning"/>.
    /// </summary>
    /// <exception cref="PomeriumException">As of the constructor.</exception>
    public static unsafe PomeriumVerifier OverEnvironment(PomeriumOptions options)
    {
        NativeLoader.Load();
        using var json = new Utf8Text(options.ToJson(), []);
        using var variables = new Utf8Text(Variables(), []);
        fixed (byte* text = json.Bytes, variablesText = variables.Bytes)
        {
            int code = NativeMethods.pomerium_jwt_options_over_variables(
                text,
                (nuint)json.Bytes.Length,
                variablesText,
                (nuint)variables.Bytes.Length,
                out byte* merged,
                out byte* message);
            using var answer = new Answer(code, merged, message);
            return code == 0
                ? new(Create(answer.Text), new(false), new(true), answer.ClaimsText)
                : throw new PomeriumException(PomeriumErrorCodes.Of(code), answer.ClaimsText ?? "");
        }
    }

    /// <summary>
    /// The environment as .NET has it: on Unix native code does not see what a program has set in its own, as libraries for .env
    /// files do.
    /// </summary>
    private static string Variables() => OptionWriter.Json(variables =>
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (((string)variable.Key).StartsWith("POMERIUM_JWT_", StringComparison.OrdinalIgnoreCase))
            {
                variables.Text((string)variable.Key, (string?)variable.Value);
            }
        }
    });

    /// <summary>
    /// Makes a verifier with other request options over the same keys, pins and counts: for two mounts of one application. What
    /// is not set stays as it is here. Dispose of both, in any order.
    /// </summary>
    /// <exception cref="PomeriumException">InvalidOptions, in a sentence that says what to write instead.</exception>
    public PomeriumVerifier With(PomeriumRequestOptions options) => WithJson(options.ToJson());

    /// <summary>As <see cref="With"/>, of options in JSON.</summary>
    public unsafe PomeriumVerifier WithJson(string requestOptionsJson)
    {
        using var json = new Utf8Text(requestOptionsJson, []);
        fixed (byte* text = json.Bytes)
        {
            int code = NativeMethods.pomerium_jwt_verifier_with(Handle, text, (nuint)json.Bytes.Length, out nint copy, out byte* message);
            using var answer = new Answer(code, message, null);
            return code == 0 ? new(new VerifierHandle(copy), wanted, forced, Warning) : throw Failure(code, answer.Text);
        }
    }

    /// <summary>
    /// Decides whether a request gets in: what every integration calls, and where all rules about requests are.
    /// </summary>
    /// <exception cref="PomeriumException">It does not; status, headers and body are the response.</exception>
    public unsafe PomeriumAdmission Admit(in PomeriumRequest request) =>
        Admission(request, null) ?? throw AskedTwice(); // without a ticket it waits itself

    /// <summary>As <see cref="Admit"/>; while keys are fetched it holds no thread.</summary>
    /// <exception cref="PomeriumException">The request does not get in; status, headers and body are the response.</exception>
    /// <exception cref="OperationCanceledException">The caller has given up; the fetch does not end.</exception>
    public unsafe ValueTask<PomeriumAdmission> AdmitAsync(PomeriumRequest request, CancellationToken cancellation = default)
    {
        long ticket = 0;
        try
        {
            PomeriumAdmission? admission = Admission(request, &ticket);
            return admission is not null ? new(admission) : AdmitLater(request, ticket, cancellation);
        }
        catch (PomeriumException refusal)
        {
            return ValueTask.FromException<PomeriumAdmission>(refusal);
        }
    }

    private async ValueTask<PomeriumAdmission> AdmitLater(PomeriumRequest request, long ticket, CancellationToken cancellation)
    {
        await wanted.JoinNewAsync(Handle, cancellation).ConfigureAwait(false);
        return AdmitFinally(request, ticket);
    }

    private unsafe PomeriumAdmission AdmitFinally(in PomeriumRequest request, long ticket) =>
        Admission(request, &ticket) ?? throw AskedTwice();

    /// <summary>A call without a ticket, and one with it, is final: no answer must never let anybody in.</summary>
    private static PomeriumException AskedTwice() => new(PomeriumErrorCode.Internal, "a final call asked for keys");

    /// <summary>Null if keys are needed first: at most once for a ticket, and never without one.</summary>
    [SkipLocalsInit]
    private unsafe PomeriumAdmission? Admission(in PomeriumRequest request, long* ticket)
    {
        using var token = new Utf8Text(request.Token, stackalloc byte[Utf8Text.Scratch]);
        using var path = new Utf8Text(request.Path, stackalloc byte[512]);
        int flags = (request.Upgrade ? NativeMethods.Upgrade : 0) | (request.MarkedPublic ? NativeMethods.MarkedPublic : 0);
        fixed (byte* text = token.Bytes, pathText = path.Bytes)
        {
            int code = NativeMethods.pomerium_jwt_admit(
                Handle,
                text,
                (nuint)token.Bytes.Length,
                pathText,
                (nuint)path.Bytes.Length,
                flags,
                ticket,
                out byte* output,
                out byte* claims);
            using var answer = new Answer(code, output, claims);
            return code switch
            {
                0 => new(new PomeriumIdentity(answer.Output, answer.Claims)),
                NativeMethods.Passed => PomeriumAdmission.Passed,
                (int)PomeriumErrorCode.KeysNeeded => null,
                _ => throw RefusedRequest(code, answer.Text),
            };
        }
    }

    /// <summary>
    /// Says who sent this token: the raw text of the header, several values joined by commas (which is refused); null or empty
    /// if there was none. If keys have to be fetched first, it holds the thread: prefer
    /// <see cref="VerifyAsync(string?, CancellationToken)"/>.
    /// </summary>
    /// <exception cref="PomeriumException">It is refused.</exception>
    [SkipLocalsInit]
    public PomeriumIdentity Verify(string? token)
    {
        using var text = new Utf8Text(token, stackalloc byte[Utf8Text.Scratch]);
        return Verify(text.Bytes);
    }

    /// <summary>As <see cref="Verify(string?)"/>, of the token's bytes.</summary>
    /// <exception cref="PomeriumException">It is refused.</exception>
    public unsafe PomeriumIdentity Verify(ReadOnlySpan<byte> token)
    {
        fixed (byte* text = token)
        {
            int code = NativeMethods.pomerium_jwt_verify(Handle, text, (nuint)token.Length, out byte* output, out byte* claims);
            return Identity(new Answer(code, output, claims));
        }
    }

    /// <summary>
    /// As <see cref="Verify(string?)"/>, at the time <paramref name="now"/> instead of the clock's. Uses the keys at hand,
    /// fetches none and pins nothing.
    /// </summary>
    /// <exception cref="PomeriumException">It is refused.</exception>
    public PomeriumIdentity VerifyAt(string? token, DateTimeOffset now) => VerifyAt(token, now.ToUnixTimeSeconds());

    /// <summary>As <see cref="VerifyAt(string?, DateTimeOffset)"/>, at a time in Unix seconds.</summary>
    /// <exception cref="PomeriumException">It is refused.</exception>
    public unsafe PomeriumIdentity VerifyAt(string? token, long now)
    {
        using var text = new Utf8Text(token, []);
        fixed (byte* bytes = text.Bytes)
        {
            int code = NativeMethods.pomerium_jwt_verify_at(
                Handle, bytes, (nuint)text.Bytes.Length, now, out byte* output, out byte* claims);
            return Identity(new Answer(code, output, claims));
        }
    }

    /// <summary>
    /// As <see cref="Verify(string?)"/>, but completes at once if the keys are there, and while they are fetched holds no thread.
    /// </summary>
    /// <exception cref="PomeriumException">The token is refused.</exception>
    /// <exception cref="OperationCanceledException">The caller has given up; the fetch does not end.</exception>
    [SkipLocalsInit]
    public ValueTask<PomeriumIdentity> VerifyAsync(string? token, CancellationToken cancellation = default)
    {
        using var text = new Utf8Text(token, stackalloc byte[Utf8Text.Scratch]);
        long ticket = 0;
        return VerifyNow(text.Bytes, ref ticket) ?? VerifyLater(text.Bytes.ToArray(), ticket, cancellation);
    }

    /// <summary>As <see cref="VerifyAsync(string?, CancellationToken)"/>, of the token's bytes.</summary>
    /// <exception cref="PomeriumException">The token is refused.</exception>
    /// <exception cref="OperationCanceledException">The caller has given up; the fetch does not end.</exception>
    public ValueTask<PomeriumIdentity> VerifyAsync(ReadOnlyMemory<byte> token, CancellationToken cancellation = default)
    {
        long ticket = 0;
        return VerifyNow(token.Span, ref ticket) ?? VerifyLater(token, ticket, cancellation);
    }

    /// <summary>Null if keys are needed first.</summary>
    private ValueTask<PomeriumIdentity>? VerifyNow(ReadOnlySpan<byte> token, ref long ticket)
    {
        try
        {
            PomeriumIdentity? identity = VerifyCached(token, ref ticket);
            return identity is null ? null : new(identity);
        }
        catch (PomeriumException refusal)
        {
            return ValueTask.FromException<PomeriumIdentity>(refusal);
        }
    }

    private async ValueTask<PomeriumIdentity> VerifyLater(ReadOnlyMemory<byte> token, long ticket, CancellationToken cancellation)
    {
        await wanted.JoinNewAsync(Handle, cancellation).ConfigureAwait(false);
        return VerifyCached(token.Span, ref ticket) ?? throw AskedTwice();
    }

    private unsafe PomeriumIdentity? VerifyCached(ReadOnlySpan<byte> token, ref long ticket)
    {
        fixed (byte* text = token)
        {
            int code = NativeMethods.pomerium_jwt_verify_cached(
                Handle, text, (nuint)token.Length, ref ticket, out byte* output, out byte* claims);
            var answer = new Answer(code, output, claims);
            if (code == (int)PomeriumErrorCode.KeysNeeded)
            {
                answer.Dispose();
                return null;
            }
            return Identity(answer);
        }
    }

    private PomeriumIdentity Identity(Answer answer)
    {
        using (answer)
        {
            return answer.Code == 0 ? new(answer.Output, answer.Claims) : throw Refusal(handle, answer.Code, answer.Text);
        }
    }

    /// <summary>Brings the keys up to date: joins a fetch that is running or starts one that is due, and waits for it.</summary>
    /// <param name="force">
    /// For warming up and for operators: fetches at once, at most once a second.
    /// </param>
    /// <param name="cancellation">Ends the wait, not the fetch.</param>
    /// <exception cref="PomeriumException">KeysUnavailable: it failed.</exception>
    public async Task RefreshAsync(bool force = false, CancellationToken cancellation = default)
    {
        PomeriumException? failure = await (force ? forced : wanted).Join(Handle).WaitAsync(cancellation).ConfigureAwait(false);
        if (failure is not null)
        {
            throw new PomeriumException(failure.Code, failure.Reason, failure.RetryAfter, cause: failure.InnerException);
        }
    }

    /// <summary>
    /// The state of keys, pins and counters. Never waits. While no usable key is loaded it starts a fetch that is due.
    /// </summary>
    public PomeriumStatus Status() => new(StatusJson(Handle));

    /// <summary>Whether this instance can verify, for health pages. Of a disposed verifier: nothing is.</summary>
    public PomeriumHealth Health() => disposed ? default : Status().Health;

    /// <summary>
    /// The counters and the age of the keys for a monitoring system, in the format of OpenMetrics 1.0: Content-Type
    /// <c>application/openmetrics-text; version=1.0.0; charset=utf-8</c>. Holds no user, path or token.
    /// </summary>
    public unsafe string Metrics()
    {
        int code = NativeMethods.pomerium_jwt_metrics(Handle, out byte* output);
        using var answer = new Answer(code, output, null);
        return code == 0 ? answer.Text : throw Failure(code, answer.Text);
    }

    /// <summary>
    /// The line to log at start: what is accepted, where the keys come from, which header, and the request options that are set.
    /// </summary>
    public string Summary { get; }

    /// <summary>The request header that carries the token.</summary>
    public string HeaderName { get; }

    /// <summary>
    /// A warning to log at start, if <see cref="OverEnvironment"/> had options in code that override variables of the
    /// environment.
    /// </summary>
    public string? Warning { get; }

    /// <summary>Where a user signs out of Pomerium, a path of the application's own host.</summary>
    /// <param name="returnTo">
    /// The URL to go to afterwards, null for none: Pomerium 0.33 and later follows it only with its runtime flag
    /// <c>allow_any_sign_out_redirect_uri</c>, otherwise <c>signout_redirect_url</c> in Pomerium's settings decides.
    /// </param>
    public static string LogoutUrl(string? returnTo = null) =>
        "/.pomerium/sign_out" + (string.IsNullOrEmpty(returnTo) ? "" : $"?pomerium_redirect_uri={Uri.EscapeDataString(returnTo)}");

    /// <summary>Frees the keys, after the calls that run. Disposing again does nothing.</summary>
    public void Dispose()
    {
        disposed = true;
        handle.Dispose();
    }

    /// <summary>For one call. The handle itself refuses new calls only once none is running.</summary>
    private VerifierHandle Handle => disposed ? throw new ObjectDisposedException(nameof(PomeriumVerifier)) : handle;

    private static unsafe VerifierHandle Create(string optionsJson)
    {
        NativeLoader.Load(); // its own exception and not a DllNotFoundException
        using var json = new Utf8Text(optionsJson, []);
        fixed (byte* text = json.Bytes)
        {
            int code = NativeMethods.pomerium_jwt_verifier_new(text, (nuint)json.Bytes.Length, out nint verifier, out byte* message);
            using var answer = new Answer(code, message, null);
            return code == 0 ? new VerifierHandle(verifier) : throw Failure(code, answer.Text);
        }
    }

    private unsafe string Describe()
    {
        int code = NativeMethods.pomerium_jwt_describe(Handle, out byte* output);
        using var answer = new Answer(code, output, null);
        return code == 0 ? answer.Text : throw Failure(code, answer.Text);
    }

    private static unsafe string StatusJson(VerifierHandle handle)
    {
        int code = NativeMethods.pomerium_jwt_status(handle, out byte* output);
        using var answer = new Answer(code, output, null);
        return code == 0 ? answer.Text : throw Failure(code, answer.Text);
    }

    private static PomeriumException Failure(int code, string message) => new(PomeriumErrorCodes.Of(code), message);

    /// <summary>A refusal that says when to come again.</summary>
    internal static PomeriumException Refusal(VerifierHandle handle, int code, string message)
    {
        PomeriumErrorCode known = PomeriumErrorCodes.Of(code);
        TimeSpan? retryAfter = known.Kind() == PomeriumErrorKind.Keys ? new PomeriumStatus(StatusJson(handle)).NextAttempt : null;
        return new PomeriumException(known, message, retryAfter);
    }

    /// <summary>A refusal of a request, of which the library writes the whole response.</summary>
    private static PomeriumException RefusedRequest(int code, string document)
    {
        using JsonDocument read = JsonDocument.Parse(document);
        JsonElement refusal = read.RootElement;
        bool waits = refusal.TryGetProperty("retry_after", out JsonElement retryAfter) && retryAfter.ValueKind == JsonValueKind.Number;
        return new PomeriumException(
            PomeriumErrorCodes.Of(code),
            refusal.GetProperty("message").GetString() ?? "",
            waits ? TimeSpan.FromSeconds(retryAfter.GetDouble()) : null,
            new PomeriumException.Response(
                refusal.GetProperty("status").GetInt32(),
                refusal.GetProperty("headers").EnumerateObject().ToDictionary(header => header.Name, header => header.Value.GetString() ?? ""),
                refusal.GetProperty("body").GetString() ?? ""));
    }
}
