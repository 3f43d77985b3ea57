using System.Globalization;
using Xunit;

namespace Collections.Scoring.Tests;

/// <summary>
/// The reference models live in <c>../shared</c>, beside the repository. They are found by walking up from the test assembly;
/// where they are absent the tests that need them are skipped, and say so.
/// </summary>
internal static class SharedData
{
    public static string? Models { get; } = FindModels();

    public static string? SkipReason => Models is null ? "The reference models (../shared/models beside the repository) are absent." : null;

    public static LightGbmModel ReadModel(string directory)
    {
        ModelReadResult result = LightGbmModelReader.Read(ReadModelText(directory));
        Assert.True(result.IsRead, result.Error?.ToString());
        return result.Model;
    }

    public static string ReadModelText(string directory) => File.ReadAllText(Path.Combine(Models!, directory, "model.txt"));

    /// <summary>A table of numbers without a header, row after row.</summary>
    public static (double[] Values, int Rows) ReadNumbers(string directory, string file)
    {
        string path = Path.Combine(Models!, directory, file);
        List<double> values = [];
        int rows = 0;
        foreach (string line in File.ReadLines(path))
        {
            if (line.Length == 0) continue;
            rows++;
            foreach (string cell in line.Split(',')) values.Add(Number(cell));
        }

        return ([.. values], rows);
    }

    public static double Number(string cell) => cell.Trim() switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" or "-nan" or "" => double.NaN,
        string text => double.Parse(text, CultureInfo.InvariantCulture),
    };

    private static string? FindModels()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string candidate = Path.Combine(at.FullName, "shared", "models");
            if (Directory.Exists(candidate)) return candidate;
        }

        return null;
    }
}

/// <summary>A fact that needs the reference models.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute() => Skip = SharedData.SkipReason;
}

/// <summary>A theory that needs the reference models.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute() => Skip = SharedData.SkipReason;
}

/// <summary>Every set of reference vectors by name. Empty where the models are absent; the theory is skipped before it asks.</summary>
internal sealed class VectorSets : TheoryData<string>
{
    public VectorSets()
    {
        if (SharedData.Models is null) return;
        string root = Path.Combine(SharedData.Models, "vectors");
        foreach (string set in Directory.GetDirectories(root).Order(StringComparer.Ordinal)) Add(Path.GetFileName(set));
    }
}
