namespace Collections.Scoring;

/// <summary>Reads one tree from its fields, and proves that it is one proper tree before anything walks it.</summary>
internal static class TreeReader
{
    private const int DecisionTypeMax = 0b1011;

    public static ModelError? Read(ReadOnlySpan<char> text, TreeSection section, int featureCount, out DecisionTree? tree)
    {
        tree = null;
        ModelError? error = TreeNumbers.ReadOne(text, section, TreeKey.num_leaves, 1, Limits.LeavesPerTreeMax, out int leaves);
        if (error is not null) return error;
        error = TreeNumbers.ReadOne(text, section, TreeKey.num_cat, 0, Limits.LeavesPerTreeMax, out int sets);
        if (error is not null) return error;
        error = TreeNumbers.ReadDoubles(text, section, TreeKey.leaf_value, leaves, out double[] values);
        if (error is not null) return error;
        error = TreeNumbers.ReadInts(text, section, TreeKey.split_feature, leaves - 1, 0, featureCount - 1, out int[] features);
        if (error is not null) return error;
        error = TreeNumbers.ReadDoubles(text, section, TreeKey.threshold, leaves - 1, out double[] thresholds);
        if (error is not null) return error;
        error = TreeNumbers.ReadInts(text, section, TreeKey.decision_type, leaves - 1, 0, DecisionTypeMax, out int[] decisions);
        if (error is not null) return error;
        error = TreeNumbers.ReadInts(text, section, TreeKey.left_child, leaves - 1, -leaves, leaves - 2, out int[] left);
        if (error is not null) return error;
        error = TreeNumbers.ReadInts(text, section, TreeKey.right_child, leaves - 1, -leaves, leaves - 2, out int[] right);
        if (error is not null) return error;
        error = CheckShape(section, left, right, leaves);
        if (error is not null) return error;
        error = ReadCounts(text, section, leaves, out int[] leafCounts, out int[] internalCounts);
        if (error is not null) return error;
        error = CategoricalReader.Read(text, section, sets, out int[] boundaries, out uint[] bits);
        if (error is not null) return error;
        error = CheckThresholds(section, thresholds, decisions, sets);
        if (error is not null) return error;
        error = LinearReader.Read(text, section, leaves, featureCount, out LinearLeaves? linear);
        if (error is not null) return error;

        tree = new DecisionTree
        {
            SplitFeatureArray = features,
            ThresholdArray = thresholds,
            DecisionTypeArray = Array.ConvertAll(decisions, static d => (byte)d),
            LeftChildArray = left,
            RightChildArray = right,
            LeafValueArray = values,
            LeafCountArray = leafCounts,
            InternalCountArray = internalCounts,
            CategoryBoundaryArray = boundaries,
            CategoryBitArray = bits,
            Linear = linear,
        };
        return null;
    }

    /// <summary>
    /// Walks from the root and counts: a node met twice is a cycle or a shared branch; fewer nodes or leaves than there are means
    /// that some can never be reached. What passes ends every walk within the number of its nodes.
    /// </summary>
    private static ModelError? CheckShape(TreeSection section, int[] left, int[] right, int leaves)
    {
        if (leaves == 1) return null;
        bool[] nodeSeen = new bool[left.Length];
        bool[] leafSeen = new bool[leaves];
        int[] pending = new int[left.Length];
        int pendingCount = 1;
        nodeSeen[0] = true;
        int met = 1;
        while (pendingCount > 0)
        {
            int node = pending[--pendingCount];
            for (int side = 0; side < 2; side++)
            {
                int child = side == 0 ? left[node] : right[node];
                ref bool seen = ref child >= 0 ? ref nodeSeen[child] : ref leafSeen[~child];
                if (seen)
                {
                    TreeKey key = side == 0 ? TreeKey.left_child : TreeKey.right_child;
                    return TreeNumbers.Refuse(section, key, $"Entry {node} points at {child}, which another node points at already: the nodes form no tree. Save the model again with LightGBM.");
                }

                seen = true;
                met++;
                if (child >= 0) pending[pendingCount++] = child;
            }
        }

        return met == left.Length + leaves ? null : TreeNumbers.Refuse(section, TreeKey.left_child,
            $"Only {met} of {left.Length + leaves} nodes and leaves can be reached from the root: the nodes form no tree. Save the model again with LightGBM.");
    }

    private static ModelError? ReadCounts(ReadOnlySpan<char> text, TreeSection section, int leaves, out int[] leafCounts, out int[] internalCounts)
    {
        leafCounts = [];
        internalCounts = [];
        ModelError? error = null;
        if (section[TreeKey.leaf_count].Length > 0)
        {
            error = TreeNumbers.ReadInts(text, section, TreeKey.leaf_count, leaves, 0, int.MaxValue, out leafCounts);
        }

        return error is null && section[TreeKey.internal_count].Length > 0
            ? TreeNumbers.ReadInts(text, section, TreeKey.internal_count, leaves - 1, 0, int.MaxValue, out internalCounts)
            : error;
    }

    private static ModelError? CheckThresholds(TreeSection section, double[] thresholds, int[] decisions, int sets)
    {
        for (int node = 0; node < thresholds.Length; node++)
        {
            double threshold = thresholds[node];
            bool categorical = (decisions[node] & 1) != 0;
            if (!categorical && double.IsNaN(threshold))
            {
                return TreeNumbers.Refuse(section, TreeKey.threshold, $"Entry {node} is nan, which no training gives: nothing is below it. Train the model again.");
            }

            if (categorical && !(threshold >= 0 && threshold < sets && threshold == Math.Floor(threshold)))
            {
                return TreeNumbers.Refuse(section, TreeKey.threshold, $"Entry {node} is {threshold}, which is not the number of one of the tree's {sets} category sets (num_cat). Save the model again with LightGBM.");
            }
        }

        return null;
    }
}

/// <summary>Reads the bit sets of a tree's categorical splits.</summary>
internal static class CategoricalReader
{
    public static ModelError? Read(ReadOnlySpan<char> text, TreeSection section, int sets, out int[] boundaries, out uint[] bits)
    {
        boundaries = [];
        bits = [];
        if (sets == 0) return null;
        ModelError? error = TreeNumbers.ReadInts(text, section, TreeKey.cat_boundaries, sets + 1, 0, int.MaxValue, out boundaries);
        if (error is not null) return error;
        for (int i = 0; i <= sets; i++)
        {
            if (i == 0 ? boundaries[0] != 0 : boundaries[i] < boundaries[i - 1])
            {
                return TreeNumbers.Refuse(section, TreeKey.cat_boundaries, $"Entry {i} is {boundaries[i]}: boundaries start at 0 and never fall. Save the model again with LightGBM.");
            }
        }

        return TreeNumbers.ReadWords(text, section, TreeKey.cat_threshold, boundaries[^1], out bits);
    }
}

/// <summary>Reads the linear models of a tree's leaves.</summary>
internal static class LinearReader
{
    public static ModelError? Read(ReadOnlySpan<char> text, TreeSection section, int leaves, int featureCount, out LinearLeaves? linear)
    {
        linear = null;
        if (!section[TreeKey.is_linear].IsPresent) return null;
        ModelError? error = TreeNumbers.ReadOne(text, section, TreeKey.is_linear, 0, 1, out int isLinear);
        if (error is not null || isLinear == 0) return error;

        error = TreeNumbers.ReadDoubles(text, section, TreeKey.leaf_const, leaves, out double[] constants);
        if (error is not null) return error;
        error = TreeNumbers.ReadInts(text, section, TreeKey.num_features, leaves, 0, featureCount, out int[] counts);
        if (error is not null) return error;
        int[] start = new int[leaves + 1];
        long total = 0;
        for (int leaf = 0; leaf < leaves; leaf++)
        {
            total += counts[leaf];
            if (total > Limits.LeavesMax)
            {
                return TreeNumbers.Refuse(section, TreeKey.num_features, $"The leaves use more than {Limits.LeavesMax} features in all, the most that are read. Save the model again with LightGBM.");
            }

            start[leaf + 1] = (int)total;
        }

        error = TreeNumbers.ReadInts(text, section, TreeKey.leaf_features, (int)total, 0, featureCount - 1, out int[] features);
        if (error is not null) return error;
        error = TreeNumbers.ReadDoubles(text, section, TreeKey.leaf_coeff, (int)total, out double[] coefficients);
        if (error is not null) return error;
        linear = new LinearLeaves(constants, start, features, coefficients);
        return null;
    }
}
