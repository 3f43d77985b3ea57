using System.Globalization;
using System.Text;

namespace Collections.Scoring.Tests;

/// <summary>What a random model should be made of.</summary>
internal sealed record SyntheticShape(int Trees, int Leaves, int Features, int Outputs = 1, int ThresholdsPerFeature = 20, bool Categorical = true, string Objective = "", bool Linear = false, bool Counted = false);

/// <summary>Writes random but valid model files from a seed, with every missing type, direction and kind of split mixed on the same features.</summary>
internal static class SyntheticModel
{
    /// <summary>Category sets reach to 95; rows ask for more.</summary>
    private const int CategoryWords = 3;

    public static readonly double[] EdgeValues =
    [
        double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0.0, -0.0, double.Epsilon, -double.Epsilon, 1.0000000180025095e-35,
        -1.0000000180025095e-35, 1.0000000180025097e-35, -1.0000000180025097e-35, double.MaxValue, double.MinValue, 2147483647, 2147483648,
        -1, -0.5, -0.9999999, 31, 32, 31.999, 95, 96, 1e300, 4294967296.0, 2.2250738585072014e-308,
    ];

    public static string Write(int seed, SyntheticShape shape)
    {
        Random random = new(seed);
        StringBuilder text = new();
        text.Append("tree\nversion=v4\n");
        text.Append(CultureInfo.InvariantCulture, $"num_class={shape.Outputs}\nnum_tree_per_iteration={shape.Outputs}\nlabel_index=0\nmax_feature_idx={shape.Features - 1}\n");
        if (shape.Objective.Length > 0) text.Append("objective=").Append(shape.Objective).Append('\n');
        text.Append("feature_names=").AppendJoin(' ', Enumerable.Range(0, shape.Features).Select(static i => $"f{i}")).Append("\n\n");
        double[][] thresholds = [.. Enumerable.Range(0, shape.Features).Select(_ => Thresholds(random, shape.ThresholdsPerFeature))];
        for (int i = 0; i < shape.Trees; i++) WriteTree(text, random, shape, thresholds, i);
        return text.Append("end of trees\n").ToString();
    }

    /// <summary>Rows that sit on the model's thresholds, beside them, on edge values, or anywhere.</summary>
    public static double[] Rows(int seed, LightGbmModel model, int rowCount)
    {
        Random random = new(seed);
        double[] known = [.. model.Trees.SelectMany(static tree => tree.Thresholds.ToArray()).Distinct()];
        double[] rows = new double[rowCount * model.FeatureNames.Count];
        foreach (ref double value in rows.AsSpan())
        {
            value = random.Next(5) switch
            {
                0 when known.Length > 0 => known[random.Next(known.Length)],
                1 when known.Length > 0 => random.Next(2) == 0 ? Math.BitIncrement(known[random.Next(known.Length)]) : Math.BitDecrement(known[random.Next(known.Length)]),
                2 => EdgeValues[random.Next(EdgeValues.Length)],
                3 => random.Next(120) - 10,
                _ => (random.NextDouble() - 0.5) * 200,
            };
        }

        return rows;
    }

    private static double[] Thresholds(Random random, int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => i switch
        {
            0 => 0.0,
            1 => 1.0000000180025095e-35,
            2 => -1.0000000180025095e-35,
            3 => double.PositiveInfinity,
            4 => double.NegativeInfinity,
            5 => -0.0,
            _ => (random.NextDouble() - 0.5) * 200,
        }),
    ];

    private static void WriteTree(StringBuilder text, Random random, SyntheticShape shape, double[][] thresholds, int index)
    {
        int leaves = random.Next(4) == 0 ? random.Next(1, shape.Leaves + 1) : shape.Leaves;
        (int[] left, int[] right) = Shape(random, leaves);
        int[] feature = new int[leaves - 1];
        int[] decision = new int[leaves - 1];
        double[] threshold = new double[leaves - 1];
        List<uint> bits = [];
        int sets = 0;
        for (int node = 0; node < leaves - 1; node++)
        {
            feature[node] = random.Next(shape.Features);
            bool categorical = shape.Categorical && random.Next(4) == 0;
            decision[node] = (categorical ? 1 : 0) | (random.Next(2) << 1) | (random.Next(3) << 2);
            threshold[node] = categorical ? sets++ : thresholds[feature[node]][random.Next(thresholds[feature[node]].Length)];
            for (int word = 0; categorical && word < CategoryWords; word++) bits.Add(random.Next(3) == 0 ? 0 : (uint)random.NextInt64(1L << 32));
        }

        Line(text, "Tree", [index]);
        Line(text, "num_leaves", [leaves]);
        Line(text, "num_cat", [sets]);
        Line(text, "split_feature", feature);
        text.Append("threshold=").AppendJoin(' ', threshold.Select(Text)).Append('\n');
        Line(text, "decision_type", decision);
        Line(text, "left_child", left);
        Line(text, "right_child", right);
        text.Append("leaf_value=").AppendJoin(' ', Enumerable.Range(0, leaves).Select(_ => Text(random.NextDouble() - 0.5))).Append('\n');
        if (sets > 0)
        {
            Line(text, "cat_boundaries", Enumerable.Range(0, sets + 1).Select(static i => i * CategoryWords));
            text.Append("cat_threshold=").AppendJoin(' ', bits).Append('\n');
        }

        if (shape.Linear) WriteLinear(text, random, shape, leaves);
        if (shape.Counted) WriteCounts(text, random, left, right);
        text.Append("shrinkage=1\n\n\n");
    }

    /// <summary>Training rows: a leaf's are drawn, a node's are those of its branches.</summary>
    private static void WriteCounts(StringBuilder text, Random random, int[] left, int[] right)
    {
        int[] leafCounts = [.. Enumerable.Range(0, left.Length + 1).Select(_ => random.Next(3) == 0 ? 1 : random.Next(1, 5000))];
        int[] counts = new int[left.Length];

        // A node's children have larger numbers than it has.
        for (int node = left.Length - 1; node >= 0; node--) counts[node] = Count(left[node]) + Count(right[node]);
        Line(text, "leaf_count", leafCounts);
        Line(text, "internal_count", counts);

        int Count(int child) => child >= 0 ? counts[child] : leafCounts[~child];
    }

    private static void WriteLinear(StringBuilder text, Random random, SyntheticShape shape, int leaves)
    {
        int[] counts = [.. Enumerable.Range(0, leaves).Select(_ => random.Next(Math.Min(4, shape.Features + 1)))];
        text.Append("is_linear=1\nleaf_const=").AppendJoin(' ', counts.Select(_ => Text(random.NextDouble()))).Append('\n');
        Line(text, "num_features", counts);
        Line(text, "leaf_features", Enumerable.Range(0, counts.Sum()).Select(_ => random.Next(shape.Features)));
        text.Append("leaf_coeff=").AppendJoin(' ', Enumerable.Range(0, counts.Sum()).Select(_ => Text(random.NextDouble() - 0.5))).Append('\n');
    }

    /// <summary>Splits a random leaf again and again, as training does; deep and lopsided trees come of themselves.</summary>
    private static (int[] Left, int[] Right) Shape(Random random, int leaves)
    {
        int[] left = new int[leaves - 1];
        int[] right = new int[leaves - 1];
        for (int node = 0; node < leaves - 1; node++)
        {
            int split = random.Next(node + 1);
            for (int parent = 0; parent < node; parent++)
            {
                if (left[parent] == ~split) left[parent] = node;
                else if (right[parent] == ~split) right[parent] = node;
            }

            left[node] = ~split;
            right[node] = ~(node + 1);
        }

        return (left, right);
    }

    private static void Line(StringBuilder text, string key, IEnumerable<int> values) => text.Append(key).Append('=').AppendJoin(' ', values).Append('\n');

    private static string Text(double value) => value switch
    {
        double.PositiveInfinity => "inf",
        double.NegativeInfinity => "-inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
