using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>Asks the verifier, reports refusals and renders them. Holds no rule about who gets in.</summary>
internal sealed class PomeriumGuard(PomeriumVerifier verifier, PomeriumSettings settings, ILoggerFactory loggers)
{
    private readonly ILogger logger = loggers.CreateLogger("Pomerium.Jwt");
    private RefusalLog? log;
    private int started;

    internal PomeriumVerifier Verifier => verifier;

    /// <summary>Whether UsePomerium has been called.</summary>
    internal bool IsUsed => Volatile.Read(ref started) > 0;

    /// <summary>Logs what is accepted, once.</summary>
    internal void Start()
    {
        if (Interlocked.Exchange(ref started, 1) == 1)
        {
            return;
        }
        log = new RefusalLog(line => logger.LogWarning("{Line}", line));
        logger.LogInformation("pomerium-jwt: {Summary}", verifier.Summary);
        if (verifier.Warning is string warning)
        {
            logger.LogWarning("pomerium-jwt: {Warning}", warning);
        }
    }

    internal ValueTask<PomeriumAdmission> AdmitAsync(HttpContext context) =>
        verifier.AdmitAsync(RequestFacts.Of(context, verifier.HeaderName), context.RequestAborted);

    /// <summary>Reports a refusal and answers with it.</summary>
    internal async Task RefuseAsync(HttpContext context, PomeriumException refusal)
    {
        string path = RequestFacts.ShownPath(context);
        if (settings.OnRefused is null)
        {
            log?.Refused(refusal, path);
        }
        else
        {
            settings.OnRefused(refusal, path);
        }
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        SetHead(context.Response, refusal);
        if (settings.ErrorHandler is not null)
        {
            context.Response.OnStarting(() =>
            {
                SetHead(context.Response, refusal, ownBody: true);
                return Task.CompletedTask;
            });
            await settings.ErrorHandler(context, refusal);
            return;
        }
        context.Response.ContentLength = refusal.Body.Length;
        await context.Response.WriteAsync(refusal.Body, context.RequestAborted);
    }

    private static void SetHead(HttpResponse response, PomeriumException refusal, bool ownBody = false)
    {
        response.StatusCode = refusal.Status;
        foreach ((string name, string value) in refusal.Headers)
        {
            // Of a body that the application has written it knows the type
            if (!ownBody || !name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
            {
                response.Headers[name] = value;
            }
        }
    }
}
