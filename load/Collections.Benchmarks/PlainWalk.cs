using Collections.Scoring;

namespace Collections.Benchmarks;

/// <summary>The traversal that anyone would write first: one row down one tree after the other, over the model as it was read.</summary>
internal static class PlainWalk
{
    private const double ZeroThreshold = 1.0000000180025095e-35;

    public static void Score(LightGbmModel model, ReadOnlySpan<double> rows, int rowCount, Span<double> raw)
    {
        int width = model.FeatureNames.Count;
        for (int row = 0; row < rowCount; row++)
        {
            double sum = 0;
            foreach (DecisionTree tree in model.Trees)
                sum += Walk(tree, rows.Slice(row * width, width));
            raw[row] = sum;
        }
    }

    private static double Walk(DecisionTree tree, ReadOnlySpan<double> row)
    {
        int node = tree.NodeCount == 0 ? ~0 : 0;
        while (node >= 0)
        {
            double value = row[tree.SplitFeatures[node]];
            node = GoesLeft(tree, node, value) ? tree.LeftChildren[node] : tree.RightChildren[node];
        }
        return tree.LeafValues[~node];
    }

    private static bool GoesLeft(DecisionTree tree, int node, double value)
    {
        if (tree.IsCategorical(node))
        {
            int category = value > -1 && value < 2147483648.0 ? (int)value : -1;
            ReadOnlySpan<uint> set = tree.CategorySet(node);
            return category >= 0 && category >> 5 < set.Length && (set[category >> 5] >> (category & 31) & 1) != 0;
        }
        MissingKind missing = tree.Missing(node);
        if (double.IsNaN(value))
        {
            if (missing == MissingKind.NaN)
                return tree.DefaultLeft(node);
            value = 0;
        }
        if (Math.Abs(value) <= ZeroThreshold)
        {
            if (missing == MissingKind.Zero)
                return tree.DefaultLeft(node);
            value = 0;
        }
        return value <= tree.Thresholds[node];
    }
}
