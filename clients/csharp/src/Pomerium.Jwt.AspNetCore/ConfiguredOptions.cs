using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Pomerium.Jwt.AspNetCore;

/// <summary>
/// Options from a section of the configuration, strictly: an unknown name or a value of the wrong type is an error, so that no
/// demand is lost.
/// </summary>
internal static class ConfiguredOptions
{
    internal const string Section = "Authentication:Schemes:Pomerium";

    internal static PomeriumOptions Read(IConfiguration configuration)
    {
        var options = new PomeriumOptions();
        foreach (IConfigurationSection member in configuration.GetSection(Section).GetChildren())
        {
            PropertyInfo property = typeof(PomeriumOptions).GetProperties()
                .FirstOrDefault(known => known.Name.Equals(member.Key, StringComparison.OrdinalIgnoreCase))
                ?? throw new ArgumentException($"{member.Path} is not an option of Pomerium.Jwt");
            property.SetValue(options, Value(property.PropertyType, member));
        }
        return options;
    }

    private static object? Value(Type type, IConfigurationSection member)
    {
        if (type == typeof(IReadOnlyList<string>))
        {
            return List(member);
        }
        if (type == typeof(IReadOnlyDictionary<string, IReadOnlyList<string>>))
        {
            if (!string.IsNullOrEmpty(member.Value) || !member.GetChildren().Any())
            {
                throw Wrong(member, "an object: name -> text or list"); // as {} it would demand nothing
            }
            return member.GetChildren().ToDictionary(claim => claim.Key, List);
        }
        string text = member.Value ?? throw Wrong(member, "one value");
        if (type == typeof(string))
        {
            return text;
        }
        if (type == typeof(bool?))
        {
            return bool.TryParse(text, out bool flag) ? flag : throw Wrong(member, "true or false");
        }
        bool whole = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        if (type == typeof(int?))
        {
            return whole ? number : throw Wrong(member, "a whole number");
        }
        return whole ? TimeSpan.FromSeconds(number) : throw Wrong(member, "whole seconds");
    }

    /// <summary>A JSON array, or one text, which is one entry: names of groups may hold commas.</summary>
    private static IReadOnlyList<string> List(IConfigurationSection member)
    {
        if (member.Value is { Length: > 0 } text)
        {
            return [text];
        }
        return [.. member.GetChildren().Select(entry => entry.Value ?? throw Wrong(entry, "a text"))];
    }

    private static ArgumentException Wrong(IConfigurationSection member, string takes) => new($"{member.Path} takes {takes}");
}
