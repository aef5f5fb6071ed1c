using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Pomerium.Jwt;

/// <summary>Text on its way into the library: in a buffer of the caller if it is short, else in a rented one.</summary>
internal ref struct Utf8Text
{
    /// <summary>Room for usual tokens.</summary>
    internal const int Scratch = 2048;

    private readonly byte[]? rented;

    internal Utf8Text(string? text, Span<byte> scratch)
    {
        int most = Encoding.UTF8.GetMaxByteCount(text?.Length ?? 0);
        Span<byte> buffer = most <= scratch.Length ? scratch : rented = ArrayPool<byte>.Shared.Rent(most);
        Bytes = buffer[..Encoding.UTF8.GetBytes(text, buffer)];
    }

    internal ReadOnlySpan<byte> Bytes { get; }

    public readonly void Dispose()
    {
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}

/// <summary>A code and the texts that came with it, which belong to us: dispose of it.</summary>
internal readonly unsafe ref struct Answer(int code, byte* output, byte* claims)
{
    internal int Code => code;

    internal ReadOnlySpan<byte> Output => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(output);

    internal ReadOnlySpan<byte> Claims => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(claims);

    internal string Text => Encoding.UTF8.GetString(Output);

    /// <summary>A text that may be absent.</summary>
    internal string? ClaimsText => claims is null ? null : Encoding.UTF8.GetString(Claims);

    public void Dispose()
    {
        if (output is not null)
        {
            NativeMethods.pomerium_jwt_string_free(output);
        }
        if (claims is not null)
        {
            NativeMethods.pomerium_jwt_string_free(claims);
        }
    }
}
