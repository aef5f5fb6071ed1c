using System.Collections;
using System.Runtime.InteropServices;

namespace Pomerium.Jwt;

/// <summary>
/// The environment as native code sees it: on Unix it lacks what a program has set by Environment.SetEnvironmentVariable, as
/// libraries for .env files do, and a demand must not get lost that way.
/// </summary>
internal static class NativeEnvironment
{
    private const string Prefix = "POMERIUM_JWT_";

    [DllImport("libc", EntryPoint = "getenv", ExactSpelling = true)]
    private static extern nint Get([MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    /// <exception cref="PomeriumException">InvalidOptions, which names the variable.</exception>
    internal static void RefuseWhatItLacks()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // one environment for both
        }
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            string name = (string)variable.Key;
            if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
                && Marshal.PtrToStringUTF8(Get(name)) != (string?)variable.Value)
            {
                throw new PomeriumException(
                    PomeriumErrorCode.InvalidOptions,
                    $"{name} has been set by the program itself, where the verifier cannot see it: set it before the program "
                        + "starts, or set the option in code");
            }
        }
    }
}
