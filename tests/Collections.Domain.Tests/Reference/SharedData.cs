using System.Globalization;
using System.Text;

namespace Collections.Domain.Tests.Reference;

/// <summary>Finds the reference data beside the repository, and reads its CSV files (no quoting occurs in them).</summary>
internal static class SharedData
{
    public static readonly string? Root = Find();

    public static IEnumerable<Row> Read(params string[] path)
    {
        using var reader = new StreamReader(Path.Combine([Root!, .. path]), Encoding.UTF8);
        string[] header = reader.ReadLine()!.Split(',');
        var places = new Dictionary<string, int>();
        for (int i = 0; i < header.Length; i++)
            places.Add(header[i], i);
        while (reader.ReadLine() is { } line)
            yield return new Row(places, line.Split(','));
    }

    private static string? Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Collections.Engine.sln")))
            {
                string data = Path.GetFullPath(Path.Combine(at.FullName, "..", "shared", "data"));
                return Directory.Exists(data) ? data : null;
            }
        }
        return null;
    }
}

/// <summary>One line of a CSV file by the names of its header.</summary>
internal sealed class Row(Dictionary<string, int> places, string[] cells)
{
    public string this[string column] => cells[places[column]];

    public bool Has(string column) => places.ContainsKey(column);

    public long Long(string column) => long.Parse(this[column], CultureInfo.InvariantCulture);

    public Day Date(string column) => Day.TryParse(this[column], out Day day) ? day : throw new FormatException($"{column}: '{this[column]}' is no date");

    public double Double(string column) => double.Parse(this[column], CultureInfo.InvariantCulture);
}

/// <summary>A test on reference data; it says why it is skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ReferenceFactAttribute : FactAttribute
{
    public ReferenceFactAttribute()
    {
        if (SharedData.Root is null)
            Skip = "the reference data (../shared/data beside the repository) is not here";
    }
}
