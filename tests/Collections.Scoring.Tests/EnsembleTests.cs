using Xunit;

namespace Collections.Scoring.Tests;

/// <summary>Properties of evaluation that hold for any model, on random models from fixed seeds.</summary>
public sealed class EnsembleTests
{
    /// <summary>Shapes that take each path and stand at its limits: leaves, thresholds, columns, outputs, linear leaves.</summary>
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
        new(Trees: 13, Leaves: 128, Features: 3),
        new(Trees: 24, Leaves: 63, Features: 2, ThresholdsPerFeature: 252),
        new(Trees: 24, Leaves: 63, Features: 2, ThresholdsPerFeature: 255),
        new(Trees: 17, Leaves: 33, Features: 12, Categorical: false),
        new(Trees: 9, Leaves: 100, Features: 100),
        new(Trees: 30, Leaves: 16, Features: 3, Outputs: 3),
    ];

    public static TheoryData<int> ShapeNumbers => [.. Enumerable.Range(0, Shapes.Length)];

    /// <summary>The ways to be held against the plain one; on a machine without the instructions the vector ways are walked.</summary>
    internal static readonly ScoringPaths[] Paths = [ScoringPaths.All, ScoringPaths.Walk, ScoringPaths.Walk | ScoringPaths.TreeMasks, ScoringPaths.LeafMasks];

    [Theory]
    [MemberData(nameof(ShapeNumbers))]
    public void Every_path_gives_the_same_bits(int shape)
    {
        for (int seed = 0; seed < 4; seed++)
        {
            LightGbmModel model = Model(seed, Shapes[shape]);
            double[] rows = SyntheticModel.Rows(seed, model, 200);
            double[] expected = Raw(Ensemble.Compile(model, ScoringPaths.Plain), rows, 200);
            foreach (ScoringPaths paths in Paths)
            {
                Ensemble ensemble = Ensemble.Compile(model, paths);
                Assert.Equal(!Shapes[shape].Linear, ensemble.IsRanked);
                SameBits(expected, Raw(ensemble, rows, 200), seed);
                for (int rowCount = 1; rowCount <= 20; rowCount++)
                {
                    SameBits(expected[..(rowCount * ensemble.OutputCount)], Raw(ensemble, rows, rowCount), seed);
                }
            }
        }
    }

    [Fact]
    public void Each_vector_path_is_taken_where_the_machine_has_the_instructions()
    {
        ScoringPaths treeMasks = TreeMaskForest.IsSupported ? ScoringPaths.TreeMasks : 0;
        ScoringPaths leafMasks = System.Runtime.Intrinsics.Vector512.IsHardwareAccelerated ? ScoringPaths.LeafMasks : 0;
        LightGbmModel few = Model(1, Shapes[1]);
        Assert.Equal(ScoringPaths.Walk | (treeMasks != 0 ? treeMasks : leafMasks), Ensemble.Compile(few).Paths);
        Assert.Equal(ScoringPaths.Walk | leafMasks, Ensemble.Compile(few, ScoringPaths.LeafMasks).Paths);
        Assert.Equal(ScoringPaths.Walk, Ensemble.Compile(few, ScoringPaths.Walk).Paths);

        // Shape 0 has more columns than a permutation reaches.
        Assert.Equal(ScoringPaths.Walk | leafMasks, Ensemble.Compile(Model(1, Shapes[0])).Paths);
        Assert.Equal(ScoringPaths.Walk, Ensemble.Compile(Model(1, Shapes[4])).Paths);
        Assert.Equal(ScoringPaths.Plain, Ensemble.Compile(Model(1, Shapes[8])).Paths);
    }

    [Theory]
    [MemberData(nameof(ShapeNumbers))]
    public void Scores_from_codes_have_the_same_bits_and_equal_codes_mean_equal_scores(int shape)
    {
        const int RowCount = 300;
        LightGbmModel model = Model(shape, Shapes[shape]);
        double[] rows = SyntheticModel.Rows(7, model, RowCount);

        // The second half differs from the first by as little as a double can: most of its codes are the same, some are not.
        for (int i = 0; i < rows.Length / 2; i++) rows[i + (rows.Length / 2)] = Math.BitIncrement(rows[i]);
        foreach (ScoringPaths paths in Paths)
        {
            Ensemble ensemble = Ensemble.Compile(model, paths);
            if (!ensemble.IsRanked)
            {
                Assert.Equal(0, ensemble.CodeBytes);
                Assert.Throws<InvalidOperationException>(() => ensemble.Encode(rows, RowCount, []));
                Assert.Throws<InvalidOperationException>(() => ensemble.PredictCodes([], RowCount, new double[RowCount]));
                continue;
            }

            Assert.InRange(ensemble.CodeBytes, model.Trees.Any(static tree => tree.NodeCount > 0) ? 1 : 0, 4 * ensemble.FeatureCount);
            byte[] codes = new byte[RowCount * ensemble.CodeBytes];
            ensemble.Encode(rows, RowCount, codes);
            double[] scores = Raw(ensemble, rows, RowCount);
            double[] fromCodes = new double[scores.Length];
            ensemble.PredictCodes(codes, RowCount, fromCodes);
            SameBits(scores, fromCodes, shape);
            Dictionary<string, int> firstWith = [];
            for (int row = 0; row < RowCount; row++)
            {
                string code = Convert.ToHexString(codes, row * ensemble.CodeBytes, ensemble.CodeBytes);
                int same = firstWith.TryAdd(code, row) ? row : firstWith[code];
                SameBits(scores[(same * ensemble.OutputCount)..((same + 1) * ensemble.OutputCount)], scores[(row * ensemble.OutputCount)..((row + 1) * ensemble.OutputCount)], row);
            }
        }
    }

    [Fact]
    public void Bytes_that_are_no_codes_of_the_model_are_scored_as_something()
    {
        for (int shape = 0; shape < Shapes.Length; shape++)
        {
            foreach (ScoringPaths paths in Paths)
            {
                Ensemble ensemble = Ensemble.Compile(Model(shape, Shapes[shape]), paths);
                if (!ensemble.IsRanked) continue;
                byte[] codes = new byte[100 * ensemble.CodeBytes];
                new Random(shape).NextBytes(codes);
                double[] raw = new double[100 * ensemble.OutputCount];
                ensemble.PredictCodes(codes, 100, raw);
                Assert.All(raw, static score => Assert.InRange(score, -1000.0, 1000.0));
            }
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
        byte[] codes = new byte[100 * ensemble.CodeBytes];
        ensemble.PredictRaw(rows, 100, raw);
        ensemble.Transform(raw, 100, raw);
        ensemble.Encode(rows, 100, codes);
        ensemble.PredictCodes(codes, 100, raw);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 1; i <= 100; i++)
        {
            ensemble.PredictRaw(rows, i, raw);
            ensemble.Transform(raw, i, raw);
            ensemble.Encode(rows, i, codes);
            ensemble.PredictCodes(codes, i, raw);
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
        Assert.Throws<ArgumentException>(() => ensemble.Encode(new double[12], 2, new byte[(2 * ensemble.CodeBytes) - 1]));
        Assert.Throws<ArgumentException>(() => ensemble.Encode(new double[11], 2, new byte[2 * ensemble.CodeBytes]));
        Assert.Throws<ArgumentException>(() => ensemble.PredictCodes(new byte[(2 * ensemble.CodeBytes) - 1], 2, new double[2]));
        Assert.Throws<ArgumentException>(() => ensemble.PredictCodes(new byte[2 * ensemble.CodeBytes], 2, new double[1]));
        ensemble.PredictRaw([], 0, []);
        ensemble.Encode([], 0, []);
        ensemble.PredictCodes([], 0, []);
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
