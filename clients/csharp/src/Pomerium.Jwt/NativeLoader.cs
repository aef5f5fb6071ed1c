using System.Reflection;
using System.Runtime.InteropServices;

namespace Pomerium.Jwt;

/// <summary>
/// Finds the native library: that of the environment variable POMERIUM_JWT_LIBRARY if it is set, else that of this package,
/// else the system's.
/// </summary>
internal static class NativeLoader
{
    private const string Variable = "POMERIUM_JWT_LIBRARY";

    /// <summary>What this package is written for: see pomerium_jwt_abi_version in the header.</summary>
    private const uint AbiVersion = 1;

    private static readonly Lazy<nint> Loaded = new(Find);

    [System.Runtime.CompilerServices.ModuleInitializer]
    internal static void Initialize() => NativeLibrary.SetDllImportResolver(typeof(NativeLoader).Assembly, Resolve);

    /// <exception cref="PomeriumException">Internal, in a sentence that names every place looked at.</exception>
    internal static void Load()
    {
        _ = Loaded.Value;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == NativeMethods.Library ? Loaded.Value : 0;

    private static nint Find()
    {
        var places = new List<string>();
        nint found = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } configured
            ? Tried($"{Variable}={configured}", Path.GetFullPath(configured), places)
            : Packaged(places) is var packaged and not 0
                ? packaged
                : Tried("the system's libraries", FileName, places);
        if (found == 0)
        {
            throw new PomeriumException(
                PomeriumErrorCode.Internal,
                $"the native library cannot be loaded. Looked at: {string.Join("; ", places)}. What to do: build it for "
                    + $"{RuntimeInformation.RuntimeIdentifier} with `cargo build --release -p pomerium-jwt-ffi` and set {Variable} to its path");
        }
        return Judged(found);
    }

    /// <summary>As NuGet lays packages out, and next to the application once it is published for one platform.</summary>
    private static nint Packaged(List<string> places)
    {
        foreach (string folder in Folders())
        {
            string file = Path.Combine(folder, FileName);
            if (!File.Exists(file))
            {
                places.Add($"{file}: not there");
            }
            else if (Tried(file, file, places) is var found and not 0)
            {
                return found;
            }
        }
        // The host knows the folder of a package that has not been copied, as in `dotnet run`
        Assembly assembly = typeof(NativeLoader).Assembly;
        return NativeLibrary.TryLoad(NativeMethods.Library, assembly, DllImportSearchPath.AssemblyDirectory, out nint hosted) ? hosted : 0;
    }

    private static IEnumerable<string> Folders()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string musl = RuntimeInformation.RuntimeIdentifier.Contains("musl") ? "-musl" : "";
        string platform = $"{system}{musl}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", platform, "native");
        yield return AppContext.BaseDirectory;
    }

    private static string FileName =>
        OperatingSystem.IsWindows() ? "pomerium_jwt.dll" : OperatingSystem.IsMacOS() ? "libpomerium_jwt.dylib" : "libpomerium_jwt.so";

    private static nint Tried(string place, string library, List<string> places)
    {
        try
        {
            return NativeLibrary.Load(library);
        }
        catch (Exception wrong) when (wrong is DllNotFoundException or BadImageFormatException)
        {
            places.Add($"{place}: {wrong.Message.ReplaceLineEndings(" ").Trim()}");
            return 0;
        }
    }

    private static unsafe nint Judged(nint library)
    {
        var version = (delegate* unmanaged[Cdecl]<uint>)NativeLibrary.GetExport(library, "pomerium_jwt_abi_version");
        uint found = version();
        if (found != AbiVersion)
        {
            throw new PomeriumException(
                PomeriumErrorCode.Internal,
                $"the native library has the ABI version {found}, and this package is for {AbiVersion}: use the one of the same release");
        }
        return library;
    }
}
