using System.Globalization;
using System.Text;

namespace Collections.Benchmarks;

/// <summary>
/// A model of a given size as LightGBM would write it, from a seed: trees grown leaf by leaf at random, 40 features with 250 thresholds
/// each (LightGBM's default of 255 bins), missing values either way.
/// </summary>
internal static class SyntheticModelText
{
    public const int Features = 40;
    private const int ThresholdsPerFeature = 250;
    private const double Span = 1000;

    public static string Write(int trees, int leaves, int seed)
    {
        var random = new Random(seed);
        var thresholds = new double[Features][];
        for (int i = 0; i < Features; i++)
            thresholds[i] = [.. Enumerable.Range(0, ThresholdsPerFeature).Select(_ => Math.Round(random.NextDouble() * Span, 3))];
        var text = new StringBuilder("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n");
        text.Append(CultureInfo.InvariantCulture, $"max_feature_idx={Features - 1}\nobjective=binary sigmoid:1\n");
        text.Append("feature_names=").AppendJoin(' ', Enumerable.Range(0, Features).Select(static i => $"f{i}"));
        text.Append("\nfeature_infos=").AppendJoin(' ', Enumerable.Repeat($"[0:{Span}]", Features)).Append('\n');
        var sections = new string[trees];
        for (int i = 0; i < trees; i++)
            sections[i] = Tree(random, thresholds, i, leaves);
        text.Append("tree_sizes=").AppendJoin(' ', sections.Select(static section => section.Length)).Append("\n\n");
        foreach (string section in sections)
            text.Append(section);
        return text.Append("end of trees\n\nfeature_importances:\n\nparameters:\nend of parameters\n\npandas_categorical:null\n").ToString();
    }

    private static string Tree(Random random, double[][] thresholds, int index, int leaves)
    {
        (int[] left, int[] right) = Shape(random, leaves);
        int nodes = leaves - 1;
        int[] features = [.. Enumerable.Range(0, nodes).Select(_ => random.Next(Features))];
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Tree={index}\nnum_leaves={leaves}\nnum_cat=0\n");
        Line(text, "split_feature", features.Select(static feature => feature.ToString(CultureInfo.InvariantCulture)));
        Line(text, "split_gain", Enumerable.Repeat("1", nodes));
        Line(text, "threshold", features.Select(feature => Text(thresholds[feature][random.Next(ThresholdsPerFeature)])));
        // Missing type NaN (8), default left (2) or right, by the feature: as training does it.
        Line(text, "decision_type", features.Select(static feature => feature % 2 == 0 ? "10" : "8"));
        Line(text, "left_child", left.Select(static child => child.ToString(CultureInfo.InvariantCulture)));
        Line(text, "right_child", right.Select(static child => child.ToString(CultureInfo.InvariantCulture)));
        Line(text, "leaf_value", Enumerable.Range(0, leaves).Select(_ => Text((random.NextDouble() - 0.5) / 10)));
        Line(text, "leaf_weight", Enumerable.Repeat("1", leaves));
        Line(text, "leaf_count", Enumerable.Repeat("1", leaves));
        Line(text, "internal_value", Enumerable.Repeat("0", nodes));
        Line(text, "internal_weight", Enumerable.Repeat("1", nodes));
        Line(text, "internal_count", Enumerable.Repeat("1", nodes));
        return text.Append("is_linear=0\nshrinkage=1\n\n\n").ToString();
    }

    /// <summary>Splits a leaf at random until there are enough: node i splits an earlier leaf, which keeps its number on the left.</summary>
    private static (int[] Left, int[] Right) Shape(Random random, int leaves)
    {
        var left = new int[leaves - 1];
        var right = new int[leaves - 1];
        var parents = new (int Node, bool IsRight)[leaves];
        for (int node = 0; node < leaves - 1; node++)
        {
            int split = random.Next(node + 1);
            if (node > 0)
            {
                (int parent, bool isRight) = parents[split];
                (isRight ? right : left)[parent] = node;
            }
            left[node] = ~split;
            right[node] = ~(node + 1);
            parents[split] = (node, false);
            parents[node + 1] = (node, true);
        }
        return (left, right);
    }

    private static void Line(StringBuilder text, string key, IEnumerable<string> values) => text.Append(key).Append('=').AppendJoin(' ', values).Append('\n');

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
