using Microsoft.AspNetCore.Http;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>In front of the application: lets a request in with its admission, or answers it.</summary>
internal sealed class PomeriumMiddleware(RequestDelegate next, PomeriumGuard guard)
{
    public async Task InvokeAsync(HttpContext context)
    {
        context.Features.Set<PomeriumAdmission>(null); // of a dispatch before this one
        PomeriumAdmission admission;
        try
        {
            admission = await guard.AdmitAsync(context);
        }
        catch (PomeriumException refusal)
        {
            await guard.RefuseAsync(context, refusal);
            return;
        }
        context.Features.Set(admission);
        try
        {
            await next(context);
        }
        // A demand of a single route, by PomeriumAdmission: its message must not reach an exception page
        catch (PomeriumException refusal) when (refusal.Kind is PomeriumErrorKind.Token or PomeriumErrorKind.Access)
        {
            await guard.RefuseAsync(context, refusal);
        }
    }
}
