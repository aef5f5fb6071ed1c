using System.Text.Json;

namespace Pomerium.Jwt.Tests;

/// <summary>Files of the repository in which these tests run.</summary>
internal static class Repository
{
    internal static readonly string Root = FindRoot();

    internal static readonly string Conformance = Path.Combine(Root, "conformance");

    /// <summary>The command that cargo has built.</summary>
    internal static string Command =>
        Path.Combine(Environment.GetEnvironmentVariable("CARGO_TARGET_DIR") ?? Path.Combine(Root, "target"), "debug", "pomerium-jwt");

    /// <summary>The rows of a file in conformance/, which becomes the working folder: file names in options are relative to it.</summary>
    internal static List<JsonElement> Rows(string file)
    {
        Directory.SetCurrentDirectory(Conformance);
        using JsonDocument document = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(Conformance, file)), new JsonDocumentOptions { MaxDepth = 256 });
        return document.RootElement.Clone().EnumerateArray().ToList();
    }

    /// <summary>A text that is written as a string, or as a list of parts and of pairs of a part and its repetitions.</summary>
    internal static string Joined(JsonElement written) => written.ValueKind == JsonValueKind.String
        ? written.GetString()!
        : string.Concat(written.EnumerateArray().Select(part => part.ValueKind == JsonValueKind.String
            ? part.GetString()
            : string.Concat(Enumerable.Repeat(part[0].GetString(), part[1].GetInt32()))));

    /// <summary>
    /// Prints the line that `make test` looks for; to a file too, because `dotnet test` does not show what tests print.
    /// </summary>
    internal static void PrintCount(string what, int count)
    {
        string line = $"{what}: {count} cases";
        Console.WriteLine(line);
        if (Environment.GetEnvironmentVariable("CONFORMANCE_COUNTS") is { Length: > 0 } file)
        {
            File.AppendAllText(file, line + "\n");
        }
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "conformance", "cases.json")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException("these tests run inside the repository");
    }
}
