using System.Globalization;
using System.Text;

namespace Collections.Server.Tests.Operations;

/// <summary>
/// A page of Prometheus' text format, read strictly and on its own terms: every sample belongs to a family that has told its help and type before,
/// no family comes twice, no series comes twice, histograms are cumulative and end at +Inf.
/// </summary>
internal sealed class PrometheusPage
{
    private readonly Dictionary<string, string> types = new(StringComparer.Ordinal);
    private readonly HashSet<string> helped = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> samples = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Types => types;

    /// <summary>Values by "name{label="value",…}", as they stand on the page with escapes taken off.</summary>
    public IReadOnlyDictionary<string, double> Samples => samples;

    /// <summary>Every name under which a sample is on the page.</summary>
    public IReadOnlySet<string> Names => samples.Keys.Select(key => key.Split('{')[0]).ToHashSet(StringComparer.Ordinal);

    public static PrometheusPage Read(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var page = new PrometheusPage();
        string family = "";
        foreach (string line in text[..^1].Split('\n'))
        {
            string[] words = line.Split(' ', 4);
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                family = words[2];
                Assert.True(page.helped.Add(family), $"two families are called {family}");
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                Assert.Equal(family, words[2]);
                Assert.Contains(words[3], (string[])["counter", "gauge", "histogram"]);
                page.types.Add(family, words[3]);
            }
            else
            {
                page.Take(line, family);
            }
        }
        page.CheckHistograms();
        return page;
    }

    private void Take(string line, string family)
    {
        int at = 0;
        while (at < line.Length && (char.IsAsciiLetterOrDigit(line[at]) || line[at] is '_' or ':'))
            at++;
        string name = line[..at];
        Assert.True(name.Length > 0 && !char.IsAsciiDigit(name[0]), line);
        string suffix = types[family] == "histogram" ? name[family.Length..] : "";
        Assert.True(name == family + suffix && suffix is "" or "_bucket" or "_sum" or "_count", $"{name} stands in the family {family}");
        var labels = new StringBuilder();
        if (line[at] == '{')
            at = ReadLabels(line, at + 1, labels);
        Assert.Equal(' ', line[at]);
        string number = line[(at + 1)..];
        double value = number switch { "+Inf" => double.PositiveInfinity, "-Inf" => double.NegativeInfinity, "NaN" => double.NaN, _ => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture) };
        Assert.True(samples.TryAdd($"{name}{{{labels}}}", value), $"twice: {line}");
    }

    /// <returns>Where the line goes on.</returns>
    private static int ReadLabels(string line, int at, StringBuilder labels)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            int equals = line.IndexOf("=\"", at, StringComparison.Ordinal);
            string name = line[at..equals];
            Assert.True(name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && names.Add(name), line);
            labels.Append(labels.Length > 0 ? "," : "").Append(name).Append("=\"");
            for (at = equals + 2; line[at] != '"'; at++)
            {
                if (line[at] == '\\')
                    labels.Append(line[++at] switch { 'n' => '\n', '\\' => '\\', '"' => '"', var other => throw new FormatException($"\\{other} is no escape: {line}") });
                else
                    labels.Append(line[at]);
            }
            labels.Append('"');
            at += 2;
            if (line[at - 1] == '}')
                return at;
            Assert.Equal(',', line[at - 1]);
        }
    }

    private void CheckHistograms()
    {
        foreach (string family in types.Where(type => type.Value == "histogram").Select(type => type.Key))
        {
            double before = 0, bound = double.NegativeInfinity;
            foreach ((string key, double count) in samples.Where(sample => sample.Key.StartsWith(family + "_bucket{", StringComparison.Ordinal)))
            {
                string text = key[(key.LastIndexOf("le=\"", StringComparison.Ordinal) + 4)..^2];
                double next = text == "+Inf" ? double.PositiveInfinity : double.Parse(text, CultureInfo.InvariantCulture);
                if (double.IsPositiveInfinity(bound))
                    (before, bound) = (0, double.NegativeInfinity);
                Assert.True(next > bound && count >= before, key);
                (before, bound) = (count, next);
                if (!double.IsPositiveInfinity(next))
                    continue;
                string labels = key[(key.IndexOf('{', StringComparison.Ordinal) + 1)..key.LastIndexOf("le=\"", StringComparison.Ordinal)].TrimEnd(',');
                Assert.Equal(count, samples[$"{family}_count{{{labels}}}"]);
                Assert.Contains($"{family}_sum{{{labels}}}", samples);
            }
            Assert.True(double.IsPositiveInfinity(bound), $"{family} does not end at +Inf");
        }
    }
}
