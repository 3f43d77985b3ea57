using System.Globalization;
using System.Text.Json;
using Xunit;
using Xunit.Abstractions;

namespace Collections.Scoring.Tests;

/// <summary>LightGBM's own answers, row for row.</summary>
public sealed class ParityTests(ITestOutputHelper output)
{
    [SharedTheory]
    [ClassData(typeof(VectorSets))]
    public void Raw_scores_have_the_bits_of_LightGBM(string set)
    {
        Ensemble ensemble = Ensemble.Compile(Model(set));
        (double[] rows, int rowCount) = SharedData.ReadNumbers(Directory(set), "features.csv");
        (double[] expected, int expectedRows) = SharedData.ReadNumbers(Directory(set), "expected_raw.csv");
        Assert.Equal(expectedRows, rowCount);
        Assert.Equal(rowCount * ensemble.FeatureCount, rows.Length);
        SameBits(expected, Raw(ensemble, rows, rowCount));
    }

    [SharedTheory]
    [ClassData(typeof(VectorSets))]
    public void Every_path_has_the_same_bits(string set)
    {
        LightGbmModel model = Model(set);
        (double[] rows, int rowCount) = SharedData.ReadNumbers(Directory(set), "features.csv");
        (double[] expected, _) = SharedData.ReadNumbers(Directory(set), "expected_raw.csv");
        SameBits(expected, Raw(Ensemble.Compile(model, ScoringPaths.Plain), rows, rowCount));
        foreach (ScoringPaths paths in EnsembleTests.Paths)
        {
            Ensemble ensemble = Ensemble.Compile(model, paths);
            Assert.Equal(!model.Trees.Any(static tree => tree.IsLinear), ensemble.IsRanked);
            SameBits(expected, Raw(ensemble, rows, rowCount));
            double[] one = new double[expected.Length];
            for (int row = 0; row < rowCount; row++)
            {
                ensemble.PredictRaw(rows.AsSpan(row * ensemble.FeatureCount), 1, one.AsSpan(row * ensemble.OutputCount));
            }

            SameBits(expected, one);
        }

        output.WriteLine($"{set}: {Ensemble.Compile(model).Paths}");
    }

    [SharedTheory]
    [ClassData(typeof(VectorSets))]
    public void Outputs_agree_with_LightGBM_to_the_last_digits_of_exp(string set)
    {
        Ensemble ensemble = Ensemble.Compile(Model(set));
        (double[] rows, int rowCount) = SharedData.ReadNumbers(Directory(set), "features.csv");
        (double[] expected, _) = SharedData.ReadNumbers(Directory(set), "expected_pred.csv");
        double[] actual = Raw(ensemble, rows, rowCount);
        ensemble.Transform(actual, rowCount, actual);
        int differing = CloseBits(expected, actual, relative: 1e-12);
        output.WriteLine($"{set}: {differing} of {expected.Length} outputs differ in their last bits");
    }

    [SharedTheory]
    [ClassData(typeof(VectorSets))]
    public void Rows_reach_the_leaves_that_LightGBM_reaches(string set)
    {
        Ensemble ensemble = Ensemble.Compile(Model(set));
        (double[] rows, int rowCount) = SharedData.ReadNumbers(Directory(set), "features.csv");
        (double[] expected, _) = SharedData.ReadNumbers(Directory(set), "expected_leaf.csv");
        int[] leaves = new int[rowCount * ensemble.TreeCount];
        ensemble.PredictLeaves(rows, rowCount, leaves);
        Assert.Equal(expected, leaves.Select(static leaf => (double)leaf));
    }

    [SharedTheory]
    [ClassData(typeof(VectorSets))]
    public void Answers_published_by_third_parties_are_met(string set)
    {
        string directory = Directory(set);
        if (!File.Exists(Path.Combine(SharedData.Models!, directory, "expected_thirdparty.csv")))
        {
            output.WriteLine($"{set}: no third party published answers");
            return;
        }

        using JsonDocument meta = JsonDocument.Parse(File.ReadAllText(Path.Combine(SharedData.Models!, directory, "META.json")));
        string kind = meta.RootElement.GetProperty("thirdparty_kind").GetString()!;
        Ensemble ensemble = Ensemble.Compile(Model(set));
        (double[] rows, int rowCount) = SharedData.ReadNumbers(directory, "features.csv");
        (double[] expected, _) = SharedData.ReadNumbers(directory, "expected_thirdparty.csv");
        double[] actual = ThirdPartyAnswer(ensemble, kind, rows, rowCount);

        // They were made by other LightGBM builds on other machines, whose exp differs in the last bit.
        CloseBits(expected, actual, relative: 1e-12);
    }

    [SharedFact]
    public void The_credit_card_model_gives_LightGBMs_scores_and_probabilities()
    {
        Ensemble ensemble = Ensemble.Compile(SharedData.ReadModel("credit-card"));
        Assert.True(ensemble.IsRanked);
        string[] lines = File.ReadAllLines(Path.Combine(SharedData.Models!, "credit-card", "vectors.csv"));
        string[] names = lines[0].Split(',');
        Assert.Equal(names[1..^2], ensemble.Model.FeatureNames);

        int rowCount = lines.Length - 1;
        double[][] cells = [.. lines.Skip(1).Select(static line => line.Split(',').Skip(1).Select(SharedData.Number).ToArray())];
        double[] rows = [.. cells.SelectMany(static row => row[..^2])];
        double[] raw = Raw(ensemble, rows, rowCount);
        SameBits([.. cells.Select(static row => row[^2])], raw);
        ensemble.Transform(raw, rowCount, raw);
        int differing = CloseBits([.. cells.Select(static row => row[^1])], raw, relative: 1e-12);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{differing} of {rowCount} probabilities differ in their last bits"));
    }

    private static double[] ThirdPartyAnswer(Ensemble ensemble, string kind, double[] rows, int rowCount)
    {
        double[] raw = Raw(ensemble, rows, rowCount);
        switch (kind)
        {
            case "raw":
                return raw;
            case "rawmean":
                return [.. raw.Select(x => x / ensemble.Model.IterationCount)];
            case "pred":
                ensemble.Transform(raw, rowCount, raw);
                return raw;
            case "leaf":
                int[] leaves = new int[rowCount * ensemble.TreeCount];
                ensemble.PredictLeaves(rows, rowCount, leaves);
                return [.. leaves.Select(static leaf => (double)leaf)];
            default:
                throw new InvalidOperationException($"The kind '{kind}' of third-party answers is not known to this test.");
        }
    }

    private static double[] Raw(Ensemble ensemble, double[] rows, int rowCount)
    {
        double[] raw = new double[rowCount * ensemble.OutputCount];
        ensemble.PredictRaw(rows, rowCount, raw);
        return raw;
    }

    private static void SameBits(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(BitConverter.DoubleToInt64Bits(expected[i]) == BitConverter.DoubleToInt64Bits(actual[i]), $"Score {i} is {actual[i]:R}, but LightGBM gives {expected[i]:R}.");
        }
    }

    private static int CloseBits(double[] expected, double[] actual, double relative)
    {
        Assert.Equal(expected.Length, actual.Length);
        int differing = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i].Equals(actual[i])) continue;
            differing++;
            Assert.True(Math.Abs(expected[i] - actual[i]) <= relative * Math.Abs(expected[i]), $"Output {i} is {actual[i]:R}, but LightGBM gives {expected[i]:R}.");
        }

        return differing;
    }

    private static string Directory(string set) => Path.Combine("vectors", set);

    private static LightGbmModel Model(string set) => SharedData.ReadModel(Directory(set));
}
