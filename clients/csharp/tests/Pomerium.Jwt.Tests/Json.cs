using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Pomerium.Jwt.Tests;

/// <summary>JSON as a text that is equal for equal values: members sorted, numbers by their value.</summary>
internal static class Json
{
    internal static JsonElement Parse(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 256 });
        return document.RootElement.Clone();
    }

    internal static string Canonical(string text) => Canonical(Parse(text));

    internal static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(
            ",",
            value.EnumerateObject()
                .OrderBy(member => member.Name, StringComparer.Ordinal)
                .Select(member => JsonSerializer.Serialize(member.Name) + ":" + Canonical(member.Value))) + "}",
        JsonValueKind.Array => "[" + string.Join(",", value.EnumerateArray().Select(Canonical)) + "]",
        JsonValueKind.Number => Number(value.GetRawText()),
        JsonValueKind.String => JsonSerializer.Serialize(value.GetString()),
        _ => value.GetRawText(),
    };

    /// <summary>Digits without zeros at the end, and the power of ten that they are multiplied with.</summary>
    private static string Number(string text)
    {
        string[] parts = text.ToLowerInvariant().Split('e');
        string[] mantissa = parts[0].Split('.');
        string fraction = mantissa.Length > 1 ? mantissa[1] : "";
        BigInteger digits = BigInteger.Parse(mantissa[0] + fraction, CultureInfo.InvariantCulture);
        long exponent = (parts.Length > 1 ? long.Parse(parts[1], CultureInfo.InvariantCulture) : 0) - fraction.Length;
        if (digits.IsZero)
        {
            return "0";
        }
        for (; digits % 10 == 0; digits /= 10)
        {
            exponent++;
        }
        return $"{digits}e{exponent}";
    }
}
