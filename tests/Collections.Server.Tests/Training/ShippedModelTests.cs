using System.Text.Json;
using Collections.Server.Tests.EndToEnd;
using Collections.Server.Tests.Import;

namespace Collections.Server.Tests.Training;

/// <summary>The model that the program ships: its manifest belongs to it, and says of its training rows what is true.</summary>
public sealed class ShippedModelTests
{
    private static readonly string Folder = Path.Combine(Folders.Repository, "models", "propensity");

    private static JsonElement Manifest => JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "manifest.json"))).RootElement;

    [Fact]
    public void The_manifest_and_the_model_hold_together()
    {
        TrainScriptTests.RequireManifest(Manifest, Path.Combine(Folder, "model.txt"));
        Assert.Equal(("propensity", "propensity", 30), (Manifest.GetProperty("name").GetString(), Manifest.GetProperty("target").GetString(), Manifest.GetProperty("horizon_days").GetInt32()));
        Assert.Equal((0.75, 0.452), (Manifest.GetProperty("metrics").GetProperty("auc").GetDouble(), Manifest.GetProperty("metrics").GetProperty("log_loss").GetDouble()));
    }

    /// <summary>
    /// The manifest's bins hold all 23,961 training rows; the first 1,000 customers, from an independent reading, must fall into them alike. A population
    /// stability index below 0.1 counts as no shift; that of a sample of 1,000 lies near 10 bins / 1,000.
    /// </summary>
    [SharedDataFact]
    public void The_distribution_is_that_of_the_data()
    {
        Dictionary<string, string>[] rows = [.. Tables.Rows(CreditCardBook.File("features-expected.csv"))];
        foreach (JsonProperty feature in Manifest.GetProperty("distribution").GetProperty("features").EnumerateObject())
        {
            double[] edges = [.. feature.Value.GetProperty("edges").EnumerateArray().Select(e => e.GetDouble())];
            double[] expected = [.. feature.Value.GetProperty("shares").EnumerateArray().Select(s => s.GetDouble()), feature.Value.GetProperty("missing").GetDouble()];
            double[] actual = new double[expected.Length];
            foreach (Dictionary<string, string> row in rows)
            {
                double value = Tables.Number(row[feature.Name]);
                actual[double.IsNaN(value) ? edges.Length + 1 : edges.Count(edge => value > edge)] += 1.0 / rows.Length;
            }
            double index = expected.Zip(actual).Where(p => p.First > 0 || p.Second > 0).Sum(p => (p.Second - p.First) * Math.Log(Math.Max(p.Second, 1e-4) / Math.Max(p.First, 1e-4)));
            Assert.True(index < 0.1, $"{feature.Name}: population stability index {index}");
        }
    }

    [SharedDataFact]
    public void The_training_rows_are_the_customers_with_a_label()
    {
        JsonElement training = Manifest.GetProperty("training");
        Dictionary<string, string>[] labels = [.. Tables.Rows(CreditCardBook.File("labels.csv"))];
        Assert.Equal((labels.Length, labels.Length), (training.GetProperty("rows").GetInt32(), training.GetProperty("debtors").GetInt32()));
        Assert.Equal(labels.Count(row => row["paid_next_month"] == "1"), training.GetProperty("positives").GetInt32());
    }
}
