using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Pomerium.Jwt.Testing;

/// <summary>
/// A key on P-256 that signs (FIPS 186-5), for tests alone: in milliseconds, and without care for who measures them. Not .NET's
/// ECDsa, because that converts signatures with System.Formats.Asn1, which trimmed runtimes lack.
/// </summary>
internal sealed class TestKey
{
    private const int Bytes = 32;

    private static readonly BigInteger P = Hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    private static readonly BigInteger N = Hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    private static readonly BigInteger GeneratorX = Hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
    private static readonly BigInteger GeneratorY = Hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");

    private readonly BigInteger secret = Scalar();

    internal TestKey()
    {
        (BigInteger x, BigInteger y) = TimesGenerator(secret);
        (X, Y) = (Written(x), Written(y));
    }

    /// <summary>The public key's coordinates.</summary>
    internal byte[] X { get; }

    internal byte[] Y { get; }

    /// <summary>The signature of ES256: r and s, one after the other.</summary>
    internal byte[] Sign(byte[] message)
    {
        BigInteger hash = Read(SHA256.HashData(message));
        while (true)
        {
            BigInteger nonce = Scalar();
            BigInteger r = TimesGenerator(nonce).X % N;
            BigInteger s = BigInteger.ModPow(nonce, N - 2, N) * (hash + r * secret) % N;
            if (!r.IsZero && !s.IsZero)
            {
                return [.. Written(r), .. Written(s)];
            }
        }
    }

    /// <summary>Double and add, in Jacobian coordinates.</summary>
    private static (BigInteger X, BigInteger Y) TimesGenerator(BigInteger scalar)
    {
        (BigInteger x, BigInteger y, BigInteger z) = (GeneratorX, GeneratorY, BigInteger.One);
        for (int bit = (int)scalar.GetBitLength() - 2; bit >= 0; bit--)
        {
            BigInteger delta = Mod(z * z), gamma = Mod(y * y), beta = Mod(x * gamma);
            BigInteger alpha = Mod(3 * (x - delta) * (x + delta));
            BigInteger doubled = Mod(alpha * alpha - 8 * beta);
            z = Mod((y + z) * (y + z) - gamma - delta);
            y = Mod(alpha * (4 * beta - doubled) - 8 * gamma * gamma);
            x = doubled;
            if (!((scalar >> bit) & 1).IsZero)
            {
                BigInteger square = Mod(z * z);
                BigInteger h = Mod(GeneratorX * square - x), r = Mod(GeneratorY * square * z - y);
                BigInteger hh = Mod(h * h), hhh = Mod(h * hh), v = Mod(x * hh);
                x = Mod(r * r - hhh - 2 * v);
                y = Mod(r * (v - x) - y * hhh);
                z = Mod(z * h);
            }
        }
        BigInteger inverse = BigInteger.ModPow(z, P - 2, P), inverseSquare = Mod(inverse * inverse);
        return (Mod(x * inverseSquare), Mod(y * inverseSquare * inverse));
    }

    private static BigInteger Mod(BigInteger value)
    {
        BigInteger rest = value % P;
        return rest.Sign < 0 ? rest + P : rest;
    }

    /// <summary>1 to n - 1, evenly but for 2^-64.</summary>
    private static BigInteger Scalar() => Read(RandomNumberGenerator.GetBytes(Bytes + 8)) % (N - 1) + 1;

    private static BigInteger Read(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static BigInteger Hex(string text) => BigInteger.Parse("0" + text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static byte[] Written(BigInteger value)
    {
        byte[] bytes = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[Bytes - bytes.Length], .. bytes];
    }
}
