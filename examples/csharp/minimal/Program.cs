using Pomerium.Jwt.AspNetCore;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.AddPomerium("https://app.example.com"); // the route's `from:` in Pomerium
WebApplication app = builder.Build();
app.UsePomerium(); // from here on every request is verified

app.MapGet("/", (HttpContext context) => $"Hello {context.GetPomeriumIdentity()?.Email}");
app.MapGet("/admin", () => "Hello admin").RequireAuthorization(policy => policy.RequireRole("admins"));
app.Run();
