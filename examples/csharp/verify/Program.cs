// Says who sent a token: dotnet run https://app.example.com eyJ...

using Pomerium.Jwt;

using var verifier = new PomeriumVerifier(args[0]); // once for an application: its route's `from:` in Pomerium
try
{
    PomeriumIdentity identity = await verifier.VerifyAsync(args[1]);
    Console.WriteLine($"{identity.Subject} {identity.Email} {string.Join(", ", identity.Groups)}");
}
catch (PomeriumException refusal)
{
    Console.Error.WriteLine(refusal.Message);
    Environment.ExitCode = 1;
}
