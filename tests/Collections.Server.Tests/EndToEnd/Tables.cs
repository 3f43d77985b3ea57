using System.Globalization;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>Simple CSV, read by splitting: the files of the tests quote nothing, and the reader shares nothing with the program.</summary>
internal static class Tables
{
    /// <summary>The rows of a file with a header, by column name.</summary>
    public static IEnumerable<Dictionary<string, string>> Rows(string path) => RowsOf(File.ReadLines(path));

    public static IEnumerable<Dictionary<string, string>> RowsOf(IEnumerable<string> lines)
    {
        string[]? header = null;
        foreach (string line in lines)
        {
            Assert.DoesNotContain('"', line);
            string[] fields = line.TrimEnd('\r').Split(',');
            if (header is null)
            {
                header = fields;
                continue;
            }
            if (line.Length == 0)
                continue;
            Assert.Equal(header.Length, fields.Length);
            yield return header.Zip(fields).ToDictionary(p => p.First, p => p.Second);
        }
    }

    public static double Number(string cell) => cell.Length == 0 ? double.NaN : double.Parse(cell, NumberStyles.Float, CultureInfo.InvariantCulture);

    public static decimal Amount(string cell) => decimal.Parse(cell, NumberStyles.Number, CultureInfo.InvariantCulture);

    /// <summary>Whether two features are the same value: NaN is NaN, and sums in another order may differ in the last digits.</summary>
    /// <param name="absolute">For ages that were measured from an instant a little earlier.</param>
    public static bool Agree(double expected, double actual, double absolute = 0) =>
        double.IsNaN(expected) ? double.IsNaN(actual) : Math.Abs(expected - actual) <= 1e-9 * Math.Max(Math.Abs(expected), Math.Abs(actual)) + absolute;
}

/// <summary>Differences, as a list that a person can read: the first ones in full, the rest counted.</summary>
internal sealed class Differences(string what)
{
    private readonly List<string> first = [];
    private int count;

    public void Add(string difference)
    {
        if (++count <= 20)
            first.Add(difference);
    }

    public void RequireNone() => Assert.True(count == 0, $"{what}: {count} differences\n{string.Join('\n', first)}");
}
