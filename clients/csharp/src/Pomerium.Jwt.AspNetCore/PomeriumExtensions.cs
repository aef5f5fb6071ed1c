using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>What an application calls in Program.cs.</summary>
public static class PomeriumExtensions
{
    /// <summary>Adds a verifier for the application with this route, its <c>from:</c> URL in Pomerium.</summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="route">
    /// Null if the configuration or the environment has it: <c>Authentication:Schemes:Pomerium:Route</c> or POMERIUM_JWT_ROUTE.
    /// </param>
    /// <param name="configure">More options, and how refusals are rendered and reported.</param>
    public static IHostApplicationBuilder AddPomerium(
        this IHostApplicationBuilder builder, string? route = null, Action<PomeriumSettings>? configure = null)
    {
        builder.Services.AddPomerium(route, configure);
        return builder;
    }

    /// <summary>As <see cref="AddPomerium(IHostApplicationBuilder, string?, Action{PomeriumSettings}?)"/>.</summary>
    public static IServiceCollection AddPomerium(
        this IServiceCollection services, string? route = null, Action<PomeriumSettings>? configure = null)
    {
        services.TryAddSingleton(provider => Settings(provider.GetService<IConfiguration>(), route, configure));
        services.TryAddSingleton(Verifier);
        services.TryAddSingleton<PomeriumGuard>();
        services.TryAddSingleton<PomeriumMetrics>();
        services.AddHostedService<PomeriumStart>();
        AddScheme(services);
        services.PostConfigure<AuthenticationOptions>(options => options.DefaultScheme ??= PomeriumDefaults.Scheme);
        services.AddAuthorization();
        return services;
    }

    /// <summary>
    /// Verifies every request from here on, before anything that is added later: endpoints, static files, unknown paths, hubs
    /// and WebSockets. A request without a valid token is answered here with 401, 403 or 503. <b>What is added before this line
    /// is not covered</b>: leave room there for CORS and exception pages alone. Endpoints with <c>AllowAnonymous</c> pass without
    /// a token, but for upgrades; to know them, routing runs before this line, as it does by itself in a
    /// <see cref="WebApplication"/>. Authentication and authorization run directly after it.
    /// </summary>
    public static IApplicationBuilder UsePomerium(this IApplicationBuilder app)
    {
        PomeriumGuard guard = app.ApplicationServices.GetService<PomeriumGuard>()
            ?? throw new InvalidOperationException("app.UsePomerium() needs builder.AddPomerium() before the application is built");
        guard.Start();
        app.ApplicationServices.GetRequiredService<PomeriumMetrics>();
        app.UseMiddleware<PomeriumMiddleware>(guard);
        // At this place, or WebApplication would run both before any middleware of the application
        return app.UseAuthentication().UseAuthorization();
    }

    /// <summary>
    /// Adds the check "pomerium" with the tag "ready": unhealthy while keys have been asked for and none is there, degraded while
    /// they are old and the key server fails. Not for liveness: a restart brings no key server back.
    /// </summary>
    public static IHealthChecksBuilder AddPomerium(this IHealthChecksBuilder checks) =>
        checks.AddCheck<PomeriumHealthCheck>("pomerium", HealthStatus.Unhealthy, ["ready"]);

    /// <summary>
    /// As AddAuthentication does, without its DataProtection: it writes keys into the home folder, and nothing here needs any.
    /// </summary>
    private static void AddScheme(IServiceCollection services)
    {
        services.AddAuthenticationCore();
        services.AddWebEncoders();
        services.TryAddSingleton(TimeProvider.System);
        new AuthenticationBuilder(services).AddScheme<AuthenticationSchemeOptions, PomeriumHandler>(PomeriumDefaults.Scheme, null);
    }

    private static PomeriumSettings Settings(IConfiguration? configuration, string? route, Action<PomeriumSettings>? configure)
    {
        var settings = new PomeriumSettings();
        if (configuration is not null)
        {
            settings.Options = ConfiguredOptions.Read(configuration);
        }
        if (route is not null)
        {
            settings.Options.Route = [route];
        }
        configure?.Invoke(settings);
        return settings;
    }

    private static PomeriumVerifier Verifier(IServiceProvider provider)
    {
        PomeriumSettings settings = provider.GetRequiredService<PomeriumSettings>();
        if (settings.Verifier is not null && settings.Options.ToJson() != "{}")
        {
            throw new InvalidOperationException("AddPomerium got a verifier, which has its options already: leave the others out");
        }
        return settings.Verifier ?? PomeriumVerifier.OverEnvironment(settings.Options);
    }
}

/// <summary>Names of this integration.</summary>
public static class PomeriumDefaults
{
    /// <summary>The authentication scheme.</summary>
    public const string Scheme = "Pomerium";

    /// <summary>The meter: see README.md for its instruments.</summary>
    public const string Meter = "Pomerium.Jwt";
}
