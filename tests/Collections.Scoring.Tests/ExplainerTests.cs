using System.Globalization;
using System.Runtime.Intrinsics;
using Collections.Scoring.Explanation;
using Xunit;
using Xunit.Abstractions;

namespace Collections.Scoring.Tests;

/// <summary>Contributions: LightGBM's own, the definition's, and their sum.</summary>
public sealed class ExplainerTests(ITestOutputHelper output)
{
    public static TheoryData<int, int> SmallShapes
    {
        get
        {
            TheoryData<int, int> cases = [];
            for (int shape = 0; shape < Small.Length; shape++)
            {
                for (int seed = 0; seed < 6; seed++) cases.Add(shape, seed);
            }

            return cases;
        }
    }

    /// <summary>One feature asked again and again, a few, more features than leaves, deep and lopsided trees.</summary>
    private static readonly SyntheticShape[] Small =
    [
        new(Trees: 3, Leaves: 9, Features: 1, Counted: true),
        new(Trees: 4, Leaves: 12, Features: 3, Counted: true),
        new(Trees: 5, Leaves: 2, Features: 4, Counted: true),
        new(Trees: 6, Leaves: 24, Features: 7, Counted: true),
        new(Trees: 2, Leaves: 60, Features: 10, Categorical: false, Counted: true),
        new(Trees: 3, Leaves: 1, Features: 2, Counted: true),
    ];

    [SharedFact]
    public void Contributions_to_the_credit_card_model_are_those_of_LightGBM()
    {
        LightGbmModel model = SharedData.ReadModel("credit-card");
        Explainer explainer = Compile(model);
        double[][] vectors = Table("vectors.csv");
        double[][] expected = Table("contributions.csv");
        Assert.Equal(vectors.Length, expected.Length);
        double[] actual = Explain(explainer, [.. vectors.SelectMany(static row => row[..^2])], vectors.Length);

        double worst = expected.SelectMany(static row => row).Zip(actual, static (e, a) => Math.Abs(e - a)).Max();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{expected.Length} rows of {explainer.ContributionCount} contributions; the largest difference is {worst:E1}"));
        Assert.Equal(expected.Length * expected[0].Length, actual.Length);
        Assert.True(worst <= 1e-9, $"A contribution differs from LightGBM's by {worst:R}.");
    }

    [SharedTheory]
    [ClassData(typeof(VectorSets))]
    public void Contributions_sum_to_the_raw_score(string set)
    {
        LightGbmModel model = SharedData.ReadModel(Path.Combine("vectors", set));
        if (Explainer.TryCompile(model, out string reason) is not { } explainer)
        {
            Assert.Contains("linear", reason, StringComparison.Ordinal);
            Assert.Contains(model.Trees, static tree => tree.IsLinear);
            return;
        }

        (double[] rows, int rowCount) = SharedData.ReadNumbers(Path.Combine("vectors", set), "features.csv");
        (double[] expected, _) = SharedData.ReadNumbers(Path.Combine("vectors", set), "expected_raw.csv");
        double scale = model.Trees.Sum(static tree => tree.LeafValues.ToArray().Max(Math.Abs));
        double worst = SumDifference(explainer, Explain(explainer, rows, rowCount), expected, scale);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{set}: the largest relative difference is {worst:E1}"));
    }

    [Theory]
    [MemberData(nameof(SmallShapes))]
    public void Contributions_are_Shapley_values(int shape, int seed)
    {
        LightGbmModel model = Synthetic(seed, Small[shape]);
        double[] rows = SyntheticModel.Rows(seed, model, 12);
        int width = model.FeatureNames.Count;
        double[] actual = Explain(Compile(model), rows, 12);
        for (int row = 0; row < 12; row++)
        {
            double[] expected = ShapleyByDefinition.Explain(model, rows[(row * width)..((row + 1) * width)]);
            Near(expected, actual[(row * (width + 1))..((row + 1) * (width + 1))], 1e-12);
        }
    }

    [Theory]
    [InlineData(200, 40, 60)]
    [InlineData(1000, 64, 70)]
    [InlineData(300, 8, 8)]
    public void Deep_paths_of_many_features_lose_nothing(int leaves, int features, int rowCount)
    {
        LightGbmModel model = Synthetic(5, new SyntheticShape(Trees: 4, Leaves: leaves, Features: features, Outputs: 2, Counted: true));
        double[] rows = SyntheticModel.Rows(9, model, rowCount);
        double[] raw = new double[rowCount * 2];
        Ensemble.Compile(model).PredictRaw(rows, rowCount, raw);
        Explainer explainer = Compile(model);
        SumDifference(explainer, Explain(explainer, rows, rowCount), raw, scale: 1);
    }

    [Fact]
    public void A_chain_of_as_many_features_as_are_explained_is_exact()
    {
        // Every node asks another feature, so that the longest path has as many features as the tree has nodes.
        LightGbmModel model = Chain(features: 64);
        double[] rows = SyntheticModel.Rows(3, model, 20);
        double[] raw = new double[20];
        Ensemble.Compile(model).PredictRaw(rows, 20, raw);
        Explainer explainer = Compile(model);
        SumDifference(explainer, Explain(explainer, rows, 20), raw, scale: 1);

        Assert.Null(Explainer.TryCompile(Chain(features: 65), out string reason));
        Assert.Contains("65 different features", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(150)]
    public void Any_width_and_any_number_of_rows_gives_the_same(int rowCount)
    {
        LightGbmModel model = Synthetic(2, new SyntheticShape(Trees: 12, Leaves: 31, Features: 9, Outputs: 3, Counted: true));
        double[] rows = SyntheticModel.Rows(4, model, rowCount);
        double[] wide = Explain(Explainer.TryCompile(model, wide: true, out _)!, rows, rowCount);
        double[] narrow = Explain(Explainer.TryCompile(model, wide: false, out _)!, rows, rowCount);
        Near(wide, narrow, 1e-13);
        output.WriteLine(Vector512.IsHardwareAccelerated ? "eight lanes are one register here" : "eight lanes are emulated here");

        Explainer explainer = Compile(model);
        for (int row = 0; row < rowCount; row += 13)
        {
            double[] single = Explain(explainer, rows[(row * 9)..((row + 1) * 9)], 1);
            Assert.Equal(single, Explain(explainer, rows, rowCount)[(row * single.Length)..((row + 1) * single.Length)]);
        }
    }

    [Fact]
    public void A_scratch_is_used_again_without_allocation_and_by_its_explainer_alone()
    {
        LightGbmModel model = Synthetic(2, new SyntheticShape(Trees: 12, Leaves: 31, Features: 9, Counted: true));
        Explainer explainer = Compile(model);
        ExplainerScratch scratch = explainer.NewScratch();
        double[] rows = SyntheticModel.Rows(4, model, 100);
        double[] first = new double[100 * explainer.ContributionCount];
        double[] second = new double[first.Length];
        explainer.Explain(rows, 100, first, scratch);
        long before = GC.GetAllocatedBytesForCurrentThread();
        explainer.Explain(rows, 100, second, scratch);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(first, second);

        Explainer other = Compile(model);
        Assert.Throws<ArgumentException>(() => other.Explain(rows, 100, second, scratch));
        Assert.Throws<ArgumentException>(() => explainer.Explain(rows.AsSpan(1), 100, second, scratch));
        Assert.Throws<ArgumentException>(() => explainer.Explain(rows, 100, second.AsSpan(1), scratch));
    }

    [Theory]
    [InlineData("leaf_count=", "leaf_counts=", "leaf_count")]
    [InlineData("internal_count=7", "internal_count=0", "internal_count")]
    [InlineData("leaf_count=4", "leaf_count=0", "leaf_count")]
    public void A_model_without_shares_can_not_be_explained(string from, string to, string named)
    {
        string text = TinyModel.Replace(from, to, StringComparison.Ordinal).Replace("leaf_counts=4 3\n", "", StringComparison.Ordinal);
        LightGbmModel model = Read(text);
        Assert.Null(Explainer.TryCompile(model, out string reason));
        Assert.Contains(named, reason, StringComparison.Ordinal);
        Assert.Contains("tree 0", reason, StringComparison.Ordinal);
        Assert.NotNull(Explainer.TryCompile(Read(TinyModel), out _));
    }

    [Fact]
    public void A_model_with_more_contributions_a_row_than_can_be_held_can_not_be_explained()
    {
        LightGbmModel model = Synthetic(1, new SyntheticShape(Trees: 2000, Leaves: 1, Features: 9000, Outputs: 2000));
        Assert.Null(Explainer.TryCompile(model, out string reason));
        Assert.Contains("18002000 contributions a row", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quadrature_of_n_points_is_exact_to_degree_2n_less_1()
    {
        for (int n = 1; n <= 32; n++)
        {
            GaussLegendre rule = new(n);
            for (int degree = 0; degree < 2 * n; degree++)
            {
                double sum = 0;
                for (int i = 0; i < n; i++) sum += rule.Weights[i] * Math.Pow(rule.Points[i], degree);
                Assert.Equal(1.0 / (degree + 1), sum, 1e-14);
            }
        }
    }

    private const string TinyModel = """
        tree
        version=v4
        num_class=1
        num_tree_per_iteration=1
        max_feature_idx=0
        feature_names=f0

        Tree=0
        num_leaves=2
        num_cat=0
        split_feature=0
        threshold=1
        decision_type=2
        left_child=-1
        right_child=-2
        leaf_value=0.5 -0.25
        leaf_count=4 3
        internal_count=7
        shrinkage=1


        end of trees

        """;

    private static LightGbmModel Chain(int features)
    {
        int[] nodes = [.. Enumerable.Range(0, features)];
        string text = $"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx={features - 1}\nfeature_names={string.Join(' ', nodes.Select(static i => $"f{i}"))}\n\n"
            + $"Tree=0\nnum_leaves={features + 1}\nnum_cat=0\nsplit_feature={string.Join(' ', nodes)}\nthreshold={string.Join(' ', nodes)}\n"
            + $"decision_type={string.Join(' ', nodes.Select(static _ => 2))}\nleft_child={string.Join(' ', nodes.Select(static i => ~i))}\n"
            + $"right_child={string.Join(' ', nodes.Select(i => i + 1 < features ? i + 1 : ~features))}\n"
            + $"leaf_value={string.Join(' ', Enumerable.Range(0, features + 1).Select(static i => i % 3 == 0 ? 0.5 : -0.25))}\n"
            + $"leaf_count={string.Join(' ', Enumerable.Range(0, features + 1).Select(static i => i + 1))}\n"
            + $"internal_count={string.Join(' ', nodes.Select(i => Enumerable.Range(i, features + 1 - i).Sum(static leaf => leaf + 1)))}\nshrinkage=1\n\n\nend of trees\n";
        return Read(text);
    }

    private static LightGbmModel Synthetic(int seed, SyntheticShape shape) => Read(SyntheticModel.Write(seed, shape));

    private static LightGbmModel Read(string text)
    {
        ModelReadResult result = LightGbmModelReader.Read(text);
        Assert.True(result.IsRead, result.Error?.ToString());
        return result.Model;
    }

    private static Explainer Compile(LightGbmModel model)
    {
        Explainer? explainer = Explainer.TryCompile(model, out string reason);
        Assert.True(explainer is not null, reason);
        return explainer;
    }

    private static double[] Explain(Explainer explainer, double[] rows, int rowCount)
    {
        double[] contributions = new double[rowCount * explainer.ContributionCount];
        explainer.Explain(rows, rowCount, contributions, explainer.NewScratch());
        return contributions;
    }

    private static double SumDifference(Explainer explainer, double[] contributions, double[] raw, double scale)
    {
        int width = explainer.FeatureCount + 1;
        double worst = 0;
        for (int i = 0; i < raw.Length; i++)
        {
            double sum = contributions.AsSpan(i * width, width).ToArray().Sum();
            double difference = Math.Abs(sum - raw[i]) / Math.Max(scale, Math.Abs(raw[i]));
            worst = Math.Max(worst, difference);
            Assert.True(difference <= 1e-9, $"The contributions to score {i} sum to {sum:R}, but it is {raw[i]:R}.");
        }

        return worst;
    }

    private static void Near(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"Contribution {i} is {actual[i]:R} instead of {expected[i]:R}.");
    }

    private static double[][] Table(string file) =>
        [.. File.ReadLines(Path.Combine(SharedData.Models!, "credit-card", file)).Skip(1).Select(static line => line.Split(',').Skip(1).Select(SharedData.Number).ToArray())];
}
