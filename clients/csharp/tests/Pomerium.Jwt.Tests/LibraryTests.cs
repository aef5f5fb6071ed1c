using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Pomerium.Jwt.Tests;

/// <summary>How the native library is found, and what the project files say.</summary>
public class LibraryTests
{
    private const string Variable = "POMERIUM_JWT_LIBRARY";

    /// <summary>The message that a fresh copy of the assembly gives, which has loaded nothing yet.</summary>
    private static string Failure(string library)
    {
        string? before = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, library);
        try
        {
            Assembly fresh = new AssemblyLoadContext("fresh").LoadFromAssemblyPath(typeof(PomeriumVerifier).Assembly.Location);
            Type verifier = fresh.GetType(typeof(PomeriumVerifier).FullName!)!;
            return Assert.Throws<TargetInvocationException>(() => Activator.CreateInstance(verifier, "https://app.example.com"))
                .InnerException!.Message;
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, before);
        }
    }

    [Fact]
    public void AFailureNamesThePlaceAndWhatToDo()
    {
        string message = Failure("/nowhere/libpomerium_jwt.so");
        Assert.Contains("internal: the native library cannot be loaded", message);
        Assert.Contains("POMERIUM_JWT_LIBRARY=/nowhere/libpomerium_jwt.so", message);
        Assert.Contains("cargo build", message);
    }

    [Fact]
    public void AnythingButALibraryIsRefused() => Assert.Contains("cases.json", Failure(Path.Combine(Repository.Conformance, "cases.json")));

    private static readonly string Folder = Path.Combine(Repository.Root, "clients", "csharp");

    private static XDocument Xml(string file) => XDocument.Load(Path.Combine(Folder, file));

    [Fact]
    public void TheVersionIsTheWorkspaces()
    {
        string cargo = File.ReadAllText(Path.Combine(Repository.Root, "Cargo.toml"));
        string version = Regex.Match(cargo, "^version = \"(.+)\"", RegexOptions.Multiline).Groups[1].Value;
        Assert.Equal(version, Xml("Directory.Build.props").Descendants("Version").Single().Value);
    }

    [Fact]
    public void ReleasedProjectsDependOnNothing()
    {
        foreach (string name in new[] { "Pomerium.Jwt", "Pomerium.Jwt.AspNetCore", "Pomerium.Jwt.Testing" })
        {
            XDocument project = Xml($"src/{name}/{name}.csproj");
            Assert.Equal(name, project.Descendants("PackageId").Single().Value);
            Assert.True(project.Descendants("Description").Single().Value.Length > 40);
            Assert.False(project.Descendants("PackageReference").Any());
        }
    }

    [Fact]
    public void EveryPackageHasACentralVersion()
    {
        var versions = Xml("Directory.Packages.props").Descendants("PackageVersion").Select(package => package.Attribute("Include")!.Value).Order();
        var used = Xml("tests/Pomerium.Jwt.Tests/Pomerium.Jwt.Tests.csproj").Descendants("PackageReference").ToList();
        Assert.Equal(string.Join("\n", versions), string.Join("\n", used.Select(package => package.Attribute("Include")!.Value).Order()));
        Assert.True(used.All(package => package.Attribute("Version") is null));
    }
}

/// <summary>Programs in the README are files that are compiled and run.</summary>
public class ReadmeTests
{
    [Fact]
    public void ProgramsAreThoseOfTheExamples()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "clients", "csharp", "README.md"));
        MatchCollection programs = Regex.Matches(readme, "<!-- file: ([^ ]+) -->\n```csharp\n(.*?)```", RegexOptions.Singleline);
        Assert.Equal(2, programs.Count);
        foreach (Match program in programs)
        {
            Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, program.Groups[1].Value)), program.Groups[2].Value);
        }
    }
}
