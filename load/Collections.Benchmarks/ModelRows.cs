using Collections.Scoring;

namespace Collections.Benchmarks;

/// <summary>
/// Rows that ask a model all it knows: a value is one of the model's own thresholds of its feature, or lies just above one, so that rows
/// spread over all bins and reach leaves of every depth; one in ten is missing.
/// </summary>
internal static class ModelRows
{
    public static double[] Draw(LightGbmModel model, int rowCount, int seed)
    {
        var random = new Random(seed);
        int width = model.FeatureNames.Count;
        double[][] thresholds = Thresholds(model);
        var rows = new double[rowCount * width];
        for (int i = 0; i < rows.Length; i++)
        {
            double[] known = thresholds[i % width];
            double value = known.Length == 0 ? 1 : known[random.Next(known.Length)];
            rows[i] = random.Next(10) == 0 ? double.NaN : random.Next(2) == 0 ? value : Math.BitIncrement(value);
        }
        return rows;
    }

    private static double[][] Thresholds(LightGbmModel model)
    {
        var found = new SortedSet<double>[model.FeatureNames.Count];
        for (int i = 0; i < found.Length; i++)
            found[i] = [];
        foreach (DecisionTree tree in model.Trees)
        {
            for (int node = 0; node < tree.NodeCount; node++)
            {
                SortedSet<double> values = found[tree.SplitFeatures[node]];
                if (!tree.IsCategorical(node))
                    values.Add(tree.Thresholds[node]);
                for (int category = 0; tree.IsCategorical(node) && category < tree.CategorySet(node).Length * 32; category++)
                {
                    if ((tree.CategorySet(node)[category / 32] >> (category % 32) & 1) != 0)
                        values.Add(category);
                }
            }
        }
        return [.. found.Select(static values => values.ToArray())];
    }
}
