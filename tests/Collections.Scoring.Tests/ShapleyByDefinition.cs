using System.Numerics;

namespace Collections.Scoring.Tests;

/// <summary>
/// Contributions as they are defined: for every subset of the features, what the trees are expected to say when only those are known (an unknown
/// question sends the row both ways, by the shares of training rows), weighted as Shapley has it. 2^n subsets; for small n.
/// </summary>
internal static class ShapleyByDefinition
{
    /// <summary>As <c>Explainer.Explain</c> gives them for one row and output 0: one a feature, then the expected value.</summary>
    public static double[] Explain(LightGbmModel model, double[] row)
    {
        int count = model.FeatureNames.Count;
        double[] known = new double[1 << count];
        for (uint subset = 0; subset < known.Length; subset++) known[subset] = model.Trees.Sum(tree => Expect(tree, tree.NodeCount == 0 ? ~0 : 0, row, subset));

        double[] contributions = new double[count + 1];
        contributions[count] = known[0];
        for (int feature = 0; feature < count; feature++)
        {
            for (uint subset = 0; subset < known.Length; subset++)
            {
                if ((subset & (1u << feature)) != 0) continue;
                int size = BitOperations.PopCount(subset);
                double weight = Factorial(size) * Factorial(count - size - 1) / Factorial(count);
                contributions[feature] += weight * (known[subset | (1u << feature)] - known[subset]);
            }
        }

        return contributions;
    }

    private static double Expect(DecisionTree tree, int node, double[] row, uint known)
    {
        if (node < 0) return tree.LeafValues[~node];
        int left = tree.LeftChildren[node];
        int right = tree.RightChildren[node];
        if ((known & (1u << tree.SplitFeatures[node])) != 0) return Expect(tree, GoesLeft(tree, node, row[tree.SplitFeatures[node]]) ? left : right, row, known);
        double share = (double)Count(tree, left) / tree.InternalCounts[node];
        double other = (double)Count(tree, right) / tree.InternalCounts[node];
        return (share * Expect(tree, left, row, known)) + (other * Expect(tree, right, row, known));
    }

    private static bool GoesLeft(DecisionTree tree, int node, double value)
    {
        if (Math.Abs(value) <= 1.0000000180025095e-35) value = 0;
        if (tree.IsCategorical(node))
        {
            int category = value > -1 && value < 2147483648.0 ? (int)value : -1;
            ReadOnlySpan<uint> set = tree.CategorySet(node);
            return category >= 0 && category / 32 < set.Length && ((set[category / 32] >> (category % 32)) & 1) != 0;
        }

        if (double.IsNaN(value) && tree.Missing(node) != MissingKind.NaN) value = 0;
        bool missing = tree.Missing(node) == MissingKind.NaN ? double.IsNaN(value) : tree.Missing(node) == MissingKind.Zero && value == 0;
        return missing ? tree.DefaultLeft(node) : value <= tree.Thresholds[node];
    }

    private static int Count(DecisionTree tree, int child) => child >= 0 ? tree.InternalCounts[child] : tree.LeafCounts[~child];

    private static double Factorial(int n) => n < 2 ? 1 : n * Factorial(n - 1);
}
