using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Pomerium.Jwt;

/// <summary>Options on their way to the core: strictly, so that no demand is lost. The core judges them.</summary>
internal sealed class OptionWriter
{
    private static readonly Encoding Strict = new UTF8Encoding(false, throwOnInvalidBytes: true);

    private readonly Utf8JsonWriter json;

    private OptionWriter(Utf8JsonWriter json) => this.json = json;

    /// <summary>The options that are set, as a JSON object.</summary>
    internal static string Json(Action<OptionWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(new OptionWriter(json));
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    internal void Text(string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, Checked(name, value));
        }
    }

    internal void List(string name, IReadOnlyList<string>? value)
    {
        if (value is not null)
        {
            json.WritePropertyName(name);
            Texts(name, value);
        }
    }

    internal void Flag(string name, bool? value)
    {
        if (value is bool flag)
        {
            json.WriteBoolean(name, flag);
        }
    }

    internal void Integer(string name, int? value)
    {
        if (value is int number)
        {
            json.WriteNumber(name, number);
        }
    }

    internal void Seconds(string name, TimeSpan? value)
    {
        if (value is not TimeSpan time)
        {
            return;
        }
        if (time.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            throw Wrong(name, $"takes whole seconds, not {time}");
        }
        json.WriteNumber(name, time.Ticks / TimeSpan.TicksPerSecond);
    }

    /// <summary>A document in JSON.</summary>
    internal void Document(string name, string? value)
    {
        if (value is null)
        {
            return;
        }
        try
        {
            json.WritePropertyName(name);
            json.WriteRawValue(Checked(name, value));
        }
        catch (Exception wrong) when (wrong is JsonException or ArgumentException)
        {
            throw Wrong(name, $"takes a JWK Set, a JSON object: {wrong.Message}");
        }
    }

    internal void Claims(string name, IReadOnlyDictionary<string, IReadOnlyList<string>>? value)
    {
        if (value is null)
        {
            return;
        }
        json.WriteStartObject(name);
        foreach ((string claim, IReadOnlyList<string> accepted) in value)
        {
            json.WritePropertyName(Checked(name, claim));
            Texts(name, accepted);
        }
        json.WriteEndObject();
    }

    private void Texts(string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray();
        foreach (string text in texts ?? throw Wrong(name, "takes a list, not null"))
        {
            json.WriteStringValue(Checked(name, text));
        }
        json.WriteEndArray();
    }

    /// <summary>Another character would take the place of what cannot be written.</summary>
    private static string Checked(string name, string value)
    {
        try
        {
            Strict.GetByteCount(value ?? throw Wrong(name, "takes text, not null"));
            return value;
        }
        catch (EncoderFallbackException)
        {
            throw Wrong(name, "takes text, not half of a surrogate pair");
        }
    }

    private static PomeriumException Wrong(string name, string reason) => new(PomeriumErrorCode.InvalidOptions, $"{name}: {reason}");
}
