using System.Reflection;
using System.Text.Json;
using Xunit;

namespace Pomerium.Jwt.Tests;

public class ConformanceTests
{
    [Fact]
    public void EveryCaseHasItsOutcome()
    {
        List<JsonElement> cases = [.. Repository.Rows("cases.json"), .. Repository.Rows("genuine.json")];
        Assert.True(cases.Count > 1600, "cases have been lost");
        Assert.Equal("", string.Join("\n", cases.Select(Difference).OfType<string>()));
        Repository.PrintCount("conformance", cases.Count);
    }

    /// <summary>How the outcome is not the expected one.</summary>
    private static string? Difference(JsonElement one)
    {
        string id = one.GetProperty("id").GetString()!;
        JsonElement expected = one.GetProperty("expect");
        try
        {
            using PomeriumVerifier verifier = PomeriumVerifier.FromJson(one.GetProperty("options").GetRawText());
            if (!one.TryGetProperty("token", out JsonElement token))
            {
                return $"{id}: the options were accepted";
            }
            return Difference(id, expected, verifier.VerifyAt(Repository.Joined(token), one.GetProperty("now").GetInt64()));
        }
        catch (PomeriumException refusal)
        {
            bool right = expected.TryGetProperty("code", out JsonElement code)
                && refusal.Code.Name() == code.GetString()
                && (!expected.TryGetProperty("message", out JsonElement message) || refusal.Reason.Contains(message.GetString()!));
            return right ? null : $"{id}: expected {expected}, got {refusal.Message}";
        }
    }

    private static string? Difference(string id, JsonElement expected, PomeriumIdentity identity)
    {
        if (expected.TryGetProperty("code", out _))
        {
            return $"{id}: expected {expected}, got {identity.ToJson()}";
        }
        string wanted = Json.Canonical(expected.GetProperty("identity"));
        string claims = Json.Canonical(expected.GetProperty("claims"));
        string[] identities = [identity.ToJson(), JsonSerializer.Serialize(identity), JsonSerializer.Serialize(identity.ToDictionary())];
        bool right = identities.All(got => Json.Canonical(got) == wanted)
            && Json.Canonical(identity.Claims) == claims
            && Json.Canonical(identity.ClaimsJson) == claims;
        return right ? null : $"{id}: expected\n{wanted} {claims}, got\n{string.Join("\n", identities)} {identity.ClaimsJson}";
    }

    [Fact]
    public void EveryRequestHasItsOutcome()
    {
        List<JsonElement> cases = Repository.Rows("requests.json");
        Assert.True(cases.Count >= 280, "cases have been lost");
        Assert.Equal("", string.Join("\n", cases.Select(RequestDifference).OfType<string>()));
        Repository.PrintCount("requests", cases.Count);
    }

    private static string? RequestDifference(JsonElement one)
    {
        string id = one.GetProperty("id").GetString()!;
        JsonElement expected = one.GetProperty("expect");
        PomeriumVerifier? first = null, verifier = null;
        try
        {
            verifier = first = PomeriumVerifier.FromJson(one.GetProperty("options").GetRawText());
            if (one.TryGetProperty("with", out JsonElement with))
            {
                verifier = first.WithJson(with.GetRawText());
                first.Dispose(); // in any order
            }
            if (!one.TryGetProperty("request", out JsonElement request))
            {
                return $"{id}: the options were accepted";
            }
            string got = Outcome(verifier, request, one);
            return got == Json.Canonical(expected) ? null : $"{id}: expected\n{Json.Canonical(expected)}, got\n{got}";
        }
        catch (PomeriumException refused)
        {
            bool right = !one.TryGetProperty("request", out _)
                && refused.Code.Name() == expected.GetProperty("code").GetString()
                && refused.Reason.Contains(expected.GetProperty("message").GetString()!);
            return right ? null : $"{id}: expected {expected}, got {refused.Message}";
        }
        finally
        {
            first?.Dispose();
            verifier?.Dispose();
        }
    }

    /// <summary>In the form of the cases; by both ways to ask, which must agree.</summary>
    private static string Outcome(PomeriumVerifier verifier, JsonElement request, JsonElement one)
    {
        var facts = new PomeriumRequest(
            Repository.Joined(request.GetProperty("token")),
            request.GetProperty("path").GetString(),
            request.TryGetProperty("upgrade", out JsonElement upgrade) && upgrade.GetBoolean(),
            request.TryGetProperty("marked_public", out JsonElement marked) && marked.GetBoolean());
        string waiting = Outcome(() => verifier.Admit(facts), one);
        string other = Outcome(() => verifier.AdmitAsync(facts).AsTask().GetAwaiter().GetResult(), one);
        return waiting == other ? waiting : $"{waiting} of Admit and {other} of AdmitAsync";
    }

    private static string Outcome(Func<PomeriumAdmission> admit, JsonElement one)
    {
        object outcome;
        try
        {
            PomeriumAdmission admission = admit();
            if (one.TryGetProperty("demand", out JsonElement demand))
            {
                Demand(admission, demand);
            }
            outcome = admission.Identity is null ? new { passed = true } : new { identity = admission.Identity };
        }
        catch (PomeriumException refused)
        {
            outcome = new { code = refused.Code.Name(), status = refused.Status, headers = refused.Headers, body = refused.Body };
        }
        return Json.Canonical(JsonSerializer.Serialize(outcome));
    }

    private static void Demand(PomeriumAdmission admission, JsonElement demand)
    {
        if (demand.TryGetProperty("groups", out JsonElement groups))
        {
            admission.RequireGroup(groups.EnumerateArray().Select(group => group.GetString()!).ToArray());
        }
        else
        {
            admission.RequireUser();
        }
    }

    [Fact]
    public void CodesAreThePublishedOnes()
    {
        List<JsonElement> rows = Repository.Rows("codes.json");
        var missing = rows
            .Where(row => !Enum.GetValues<PomeriumErrorCode>().Any(code =>
                (int)code == row.GetProperty("number").GetInt32()
                && code.Name() == row.GetProperty("code").GetString()
                && code.Kind().ToString().ToLowerInvariant() == row.GetProperty("kind").GetString()))
            .Select(row => $"add to PomeriumErrorCode.cs: {Pascal(row.GetProperty("code").GetString()!)} = {row.GetProperty("number")}, of kind {row.GetProperty("kind")}");
        Assert.Equal("", string.Join("\n", missing));
        Assert.Equal(rows.Count, Enum.GetValues<PomeriumErrorCode>().Length);
    }

    /// <summary>The classes are generated: whether they are current, and whether each property sets its own option.</summary>
    [Fact]
    public void OptionsAreThePublishedOnes()
    {
        List<JsonElement> rows = Repository.Rows("options.json");
        Assert.Equal(Names(rows), Names(typeof(PomeriumOptions)));
        Assert.Equal(Names(rows.Where(row => row.GetProperty("group").GetString() == "request")), Names(typeof(PomeriumRequestOptions)));
        foreach (PropertyInfo property in typeof(PomeriumOptions).GetProperties())
        {
            var options = new PomeriumOptions();
            property.SetValue(options, Sample(property.PropertyType));
            JsonProperty written = Json.Parse(options.ToJson()).EnumerateObject().Single();
            Assert.Equal(property.Name, Pascal(written.Name));
        }
        Assert.Equal("{}", new PomeriumOptions().ToJson());
    }

    /// <summary>Status has all that the library gives.</summary>
    [Fact]
    public void StatusHasEveryMember()
    {
        using var verifier = new PomeriumVerifier("http://127.0.0.1:9");
        PomeriumStatus status = verifier.Status();
        string given = string.Join("\n", Json.Parse(status.Json).EnumerateObject().Select(member => Pascal(member.Name)).Order());
        PropertyInfo[] properties = typeof(PomeriumStatus).GetProperties().Where(property => property.Name != "Json").ToArray();
        Assert.Equal(given, string.Join("\n", properties.Select(property => property.Name).Order()));
        foreach (PropertyInfo property in properties)
        {
            property.GetValue(status); // reads it
        }
    }

    private static string Names(IEnumerable<JsonElement> rows) =>
        string.Join("\n", rows.Select(row => Pascal(row.GetProperty("name").GetString()!)).Order());

    private static string Names(Type options) => string.Join("\n", options.GetProperties().Select(property => property.Name).Order());

    private static string Pascal(string snake) =>
        string.Concat(snake.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private static object Sample(Type type) =>
        type == typeof(string) ? "{}"
        : type == typeof(bool?) ? false
        : type == typeof(int?) ? 7
        : type == typeof(TimeSpan?) ? TimeSpan.FromSeconds(7)
        : type == typeof(IReadOnlyList<string>) ? new[] { "a", "b" }
        : new Dictionary<string, IReadOnlyList<string>> { ["claim"] = ["a"] };
}
