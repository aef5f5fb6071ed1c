using System.Runtime.InteropServices;

namespace Pomerium.Jwt;

/// <summary>The C ABI of libpomerium_jwt; include/pomerium_jwt.h says what each function does.</summary>
internal static unsafe class NativeMethods
{
    /// <summary>The name that <see cref="NativeLoader"/> resolves.</summary>
    internal const string Library = "pomerium_jwt";

    /// <summary>The answer of admit that lets a request in as nobody.</summary>
    internal const int Passed = -1;

    internal const int Upgrade = 1;
    internal const int MarkedPublic = 2;

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_verifier_new(byte* options, nuint length, out nint verifier, out byte* message);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_verifier_with(
        VerifierHandle verifier, byte* options, nuint length, out nint copy, out byte* message);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_options_over_variables(
        byte* options, nuint length, byte* variables, nuint variablesLength, out byte* merged, out byte* message);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_verify(
        VerifierHandle verifier, byte* token, nuint length, out byte* output, out byte* claims);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_verify_at(
        VerifierHandle verifier, byte* token, nuint length, long now, out byte* output, out byte* claims);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_verify_cached(
        VerifierHandle verifier, byte* token, nuint length, ref long ticket, out byte* output, out byte* claims);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_admit(
        VerifierHandle verifier,
        byte* token,
        nuint length,
        byte* path,
        nuint pathLength,
        int flags,
        long* ticket,
        out byte* output,
        out byte* claims);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_refresh(VerifierHandle verifier, int force, out byte* message);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_status(VerifierHandle verifier, out byte* output);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_describe(VerifierHandle verifier, out byte* output);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern int pomerium_jwt_metrics(VerifierHandle verifier, out byte* output);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern void pomerium_jwt_verifier_free(nint verifier);

    [DllImport(Library, ExactSpelling = true)]
    internal static extern void pomerium_jwt_string_free(byte* text);
}

/// <summary>A verifier of the library: freed once, and only when no call runs on it.</summary>
internal sealed class VerifierHandle : SafeHandle
{
    internal VerifierHandle(nint pointer) : base(0, ownsHandle: true) => SetHandle(pointer);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMethods.pomerium_jwt_verifier_free(handle);
        return true;
    }
}
