using Xunit;

namespace Collections.Scoring.Tests;

/// <summary>Properties of evaluation that hold for any model, on random models from fixed seeds.</summary>
public sealed class EnsembleTests
{
    /// <summary>One shape for each path: leaf masks, walking for many leaves, walking for many thresholds, several outputs, linear leaves.</summary>
    internal static readonly SyntheticShape[] Shapes =
    [
        new(Trees: 30, Leaves: 31, Features: 6),
        new(Trees: 11, Leaves: 64, Features: 3, Categorical: false),
        new(Trees: 9, Leaves: 256, Features: 5),
        new(Trees: 7, Leaves: 400, Features: 5),
        new(Trees: 12, Leaves: 300, Features: 2, ThresholdsPerFeature: 2000),
        new(Trees: 15, Leaves: 9, Features: 4, Outputs: 5),
        new(Trees: 3, Leaves: 1, Features: 1),
        new(Trees: 20, Leaves: 2, Features: 1),
        new(Trees: 8, Leaves: 20, Features: 6, Linear: true),
        new(Trees: 4, Leaves: 1, Features: 2, Linear: true),
    ];

    public static TheoryData<int> ShapeNumbers => [.. Enumerable.Range(0, Shapes.Length)];

    [Theory]
    [MemberData(nameof(ShapeNumbers))]
    public void Every_path_gives_the_same_bits(int shape)
    {
        for (int seed = 0; seed < 10; seed++)
        {
            LightGbmModel model = Model(seed, Shapes[shape]);
            Ensemble ensemble = Ensemble.Compile(model);
            Assert.Equal(!Shapes[shape].Linear, ensemble.IsRanked);
            double[] rows = SyntheticModel.Rows(seed, model, 200);
            SameBits(Raw(Ensemble.Compile(model, ScoringPaths.Plain), rows, 200), Raw(ensemble, rows, 200), seed);
        }
    }

    [Theory]
    [MemberData(nameof(ShapeNumbers))]
    public void Any_split_into_batches_gives_the_same_bits(int shape)
    {
        const int RowCount = 330;
        LightGbmModel model = Model(shape, Shapes[shape]);
        Ensemble ensemble = Ensemble.Compile(model);
        double[] rows = SyntheticModel.Rows(99, model, RowCount);
        double[] whole = Raw(ensemble, rows, RowCount);
        Random random = new(shape);
        for (int most = 1; most <= 140; most += most < 20 ? 1 : 30)
        {
            double[] parts = new double[whole.Length];
            for (int first = 0; first < RowCount;)
            {
                int count = Math.Min(random.Next(1, most + 1), RowCount - first);
                ensemble.PredictRaw(rows.AsSpan(first * ensemble.FeatureCount, count * ensemble.FeatureCount), count, parts.AsSpan(first * ensemble.OutputCount));
                first += count;
            }

            SameBits(whole, parts, most);
        }
    }

    [Fact]
    public void Edge_values_take_the_same_way_on_every_path()
    {
        LightGbmModel model = Model(5, new SyntheticShape(Trees: 400, Leaves: 8, Features: 1));
        Ensemble ranked = Ensemble.Compile(model);
        double[] rows = [.. SyntheticModel.EdgeValues.Concat(model.Trees.SelectMany(static tree => tree.Thresholds.ToArray()))];
        SameBits(Raw(Ensemble.Compile(model, ScoringPaths.Plain), rows, rows.Length), Raw(ranked, rows, rows.Length), 5);
    }

    [Fact]
    public void Threads_may_share_an_ensemble()
    {
        LightGbmModel model = Model(3, Shapes[0]);
        Ensemble ensemble = Ensemble.Compile(model);
        double[] rows = SyntheticModel.Rows(3, model, 256);
        double[] expected = Raw(ensemble, rows, 256);
        Parallel.For(0, 64, i => SameBits(expected, Raw(ensemble, rows, 256), i));
    }

    [Fact]
    public void Scoring_allocates_nothing()
    {
        LightGbmModel model = Model(4, Shapes[0]);
        Ensemble ensemble = Ensemble.Compile(model);
        double[] rows = SyntheticModel.Rows(4, model, 100);
        double[] raw = new double[100];
        ensemble.PredictRaw(rows, 100, raw);
        ensemble.Transform(raw, 100, raw);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 1; i <= 100; i++)
        {
            ensemble.PredictRaw(rows, i, raw);
            ensemble.Transform(raw, i, raw);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Spans_that_are_too_short_are_refused()
    {
        Ensemble ensemble = Ensemble.Compile(Model(1, Shapes[0]));
        Assert.Throws<ArgumentException>(() => ensemble.PredictRaw(new double[11], 2, new double[2]));
        Assert.Throws<ArgumentException>(() => ensemble.PredictRaw(new double[12], 2, new double[1]));
        Assert.Throws<ArgumentException>(() => ensemble.PredictRaw(new double[12], -1, new double[1]));
        Assert.Throws<ArgumentException>(() => ensemble.PredictLeaves(new double[12], 2, new int[59]));
        ensemble.PredictRaw([], 0, []);
    }

    [Theory]
    [InlineData("regression sqrt", -1.5, -2.25)]
    [InlineData("regression_l1 sqrt", 3.0, 9.0)]
    [InlineData("cross_entropy", 0.0, 0.5)]
    [InlineData("cross_entropy_lambda", 0.0, 0.69314718055994529)]
    [InlineData("cross_entropy_lambda", -50.0, 1.9287498479639178e-22)]
    [InlineData("cross_entropy_lambda", -1000.0, 0.0)]
    [InlineData("cross_entropy_lambda", 1000.0, double.PositiveInfinity)]
    [InlineData("binary sigmoid:2", 0.5, 0.7310585786300049)]
    [InlineData("poisson", 0.0, 1.0)]
    [InlineData("gamma", 1.0, 2.718281828459045)]
    [InlineData("tweedie", -1.0, 0.36787944117144233)]
    [InlineData("fair", 2.5, 2.5)]
    [InlineData("quantile", 2.5, 2.5)]
    [InlineData("mape", -2.5, -2.5)]
    [InlineData("lambdarank", 2.5, 2.5)]
    [InlineData("custom", 2.5, 2.5)]
    [InlineData("", 2.5, 2.5)]
    public void Each_objective_transforms_its_scores(string objective, double raw, double expected)
    {
        Ensemble ensemble = Ensemble.Compile(Model(1, Shapes[6] with { Objective = objective }));
        double[] output = new double[1];
        ensemble.Transform([raw], 1, output);
        Assert.Equal(expected, output[0], Math.Abs(expected) * 1e-15);
    }

    [Theory]
    [InlineData("multiclass num_class:3", new[] { 0.1863237232258476, 0.30719588571849843, 0.506480391055654 })]
    [InlineData("multiclassova num_class:3 sigmoid:1", new[] { 0.5, 0.6224593312018546, 0.7310585786300049 })]
    public void Each_class_has_its_output(string objective, double[] expected)
    {
        Ensemble ensemble = Ensemble.Compile(Model(1, new SyntheticShape(Trees: 3, Leaves: 2, Features: 1, Outputs: 3, Objective: objective)));
        double[] output = new double[3];
        ensemble.Transform([0.0, 0.5, 1.0], 1, output);
        for (int i = 0; i < 3; i++) Assert.Equal(expected[i], output[i], 1e-15);
    }

    private static LightGbmModel Model(int seed, SyntheticShape shape)
    {
        ModelReadResult result = LightGbmModelReader.Read(SyntheticModel.Write(seed, shape));
        Assert.True(result.IsRead, result.Error?.ToString());
        return result.Model;
    }

    private static double[] Raw(Ensemble ensemble, double[] rows, int rowCount)
    {
        double[] raw = new double[rowCount * ensemble.OutputCount];
        ensemble.PredictRaw(rows, rowCount, raw);
        return raw;
    }

    private static void SameBits(double[] expected, double[] actual, int seed)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(BitConverter.DoubleToInt64Bits(expected[i]) == BitConverter.DoubleToInt64Bits(actual[i]), $"Seed {seed}: score {i} is {actual[i]:R}, not {expected[i]:R}.");
        }
    }
}
