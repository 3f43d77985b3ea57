namespace Collections.Scoring;

/// <summary>
/// The path that takes every model: one row down one tree at a time, comparing doubles, much as LightGBM itself does. It is
/// also the reference that the ranked path is tested against.
/// </summary>
internal sealed class PlainForest
{
    private const byte Categorical = 1;
    private const byte DefaultLeft = 2;
    private const byte MissingMask = 0b1100;
    private const byte MissingZero = (byte)MissingKind.Zero << 2;
    private const byte MissingNaN = (byte)MissingKind.NaN << 2;

    private readonly DecisionTree[] _trees;
    private readonly int _featureCount;
    private readonly int _outputCount;

    private PlainForest(DecisionTree[] trees, int featureCount, int outputCount)
    {
        _trees = trees;
        _featureCount = featureCount;
        _outputCount = outputCount;
    }

    public static PlainForest Compile(LightGbmModel model) => new([.. model.Trees], model.FeatureNames.Count, model.OutputCount);

    /// <summary>Adds each tree's value to the row's outputs, trees in file order.</summary>
    public void AddScores(ReadOnlySpan<double> rows, int rowCount, Span<double> raw)
    {
        for (int row = 0; row < rowCount; row++)
        {
            ReadOnlySpan<double> values = rows.Slice(row * _featureCount, _featureCount);
            Span<double> scores = raw.Slice(row * _outputCount, _outputCount);
            int output = 0;
            foreach (DecisionTree tree in _trees)
            {
                int leaf = FindLeaf(tree, values);
                scores[output] += tree.Linear is null ? tree.LeafValueArray[leaf] : LinearValue(tree, tree.Linear, leaf, values);
                if (++output == _outputCount) output = 0;
            }
        }
    }

    public void FindLeaves(ReadOnlySpan<double> rows, int rowCount, Span<int> leaves)
    {
        for (int row = 0; row < rowCount; row++)
        {
            ReadOnlySpan<double> values = rows.Slice(row * _featureCount, _featureCount);
            for (int tree = 0; tree < _trees.Length; tree++)
            {
                leaves[(row * _trees.Length) + tree] = FindLeaf(_trees[tree], values);
            }
        }
    }

    private static int FindLeaf(DecisionTree tree, ReadOnlySpan<double> values)
    {
        if (tree.NodeCount == 0) return 0;
        int node = 0;
        do
        {
            double value = FeatureValue.Clean(values[tree.SplitFeatureArray[node]]);
            bool left = (tree.DecisionTypeArray[node] & Categorical) != 0
                ? InSet(tree.CategorySet(node), FeatureValue.Category(value))
                : GoesLeft(tree.DecisionTypeArray[node], value, tree.ThresholdArray[node]);
            node = left ? tree.LeftChildArray[node] : tree.RightChildArray[node];
        }
        while (node >= 0);
        return ~node;
    }

    private static bool GoesLeft(byte decision, double value, double threshold)
    {
        int missing = decision & MissingMask;
        if (double.IsNaN(value) && missing != MissingNaN) value = 0;
        bool isMissing = missing switch
        {
            MissingZero => value == 0,
            MissingNaN => double.IsNaN(value),
            _ => false,
        };
        return isMissing ? (decision & DefaultLeft) != 0 : value <= threshold;
    }

    private static bool InSet(ReadOnlySpan<uint> set, int category)
    {
        int word = category >> 5;
        return category >= 0 && word < set.Length && ((set[word] >> (category & 31)) & 1) != 0;
    }

    /// <summary>The products are added in file order, each rounded by itself (no fused multiply-add), as LightGBM's build does.</summary>
    private static double LinearValue(DecisionTree tree, LinearLeaves linear, int leaf, ReadOnlySpan<double> values)
    {
        double sum = linear.Constants[leaf];
        for (int i = linear.Start[leaf]; i < linear.Start[leaf + 1]; i++)
        {
            double value = FeatureValue.Clean(values[linear.Features[i]]);
            if (double.IsNaN(value)) return tree.LeafValueArray[leaf];
            sum += linear.Coefficients[i] * value;
        }

        return sum;
    }
}
