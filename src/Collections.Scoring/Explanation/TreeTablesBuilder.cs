namespace Collections.Scoring.Explanation;

/// <summary>Turns trees into <see cref="TreeTables"/>, and finds out which can't be explained.</summary>
internal sealed class TreeTablesBuilder
{
    private readonly LightGbmModel _model;
    private readonly RankColumnsBuilder _columns;
    private readonly int[] _numberOf;
    private readonly List<int> _features = [];
    private readonly List<TreePlace> _trees = [];
    private readonly List<NodeHead> _heads = [];
    private readonly List<double> _constants = [];
    private readonly List<double> _leafWeights = [];
    private readonly List<double> _ratios = [];
    private readonly Dictionary<int, (GaussLegendre Rule, int Ratios)> _rules = [];
    private int _placesMax = 1;
    private int _branchesMax = 1;

    public TreeTablesBuilder(LightGbmModel model, RankColumnsBuilder columns)
    {
        _model = model;
        _columns = columns;
        _numberOf = new int[model.FeatureNames.Count];
        Array.Fill(_numberOf, -1);
    }

    /// <summary>Why the model's trees have no contributions, and what to do; empty if they have.</summary>
    public static string WhyNot(LightGbmModel model)
    {
        long contributions = (model.FeatureNames.Count + 1L) * model.OutputCount;
        if (contributions > Limits.ContributionsMax)
        {
            return $"{model.FeatureNames.Count} features and {model.OutputCount} outputs have {contributions} contributions a row, and at most {Limits.ContributionsMax} are computed; train on fewer features";
        }

        for (int i = 0; i < model.Trees.Count; i++)
        {
            string reason = WhyNot(model.Trees[i], i);
            if (reason.Length > 0) return reason;
        }

        return "";
    }

    /// <summary>Builds the tables of a model whose trees have contributions.</summary>
    /// <param name="reason">Why it is beyond the limits; empty if it is not.</param>
    /// <returns>The tables, or null.</returns>
    public TreeTables? TryBuild(out string reason)
    {
        double[] expected = new double[_model.OutputCount];
        for (int i = 0; i < _model.Trees.Count; i++)
        {
            DecisionTree tree = _model.Trees[i];
            int output = i % _model.OutputCount;
            expected[output] += Expected(tree);
            if (tree.NodeCount == 0) continue;
            TreePaths paths = new(tree, _model.FeatureNames.Count);
            if (paths.FeaturesMax > Limits.ExplainedPathFeaturesMax)
            {
                reason = $"a path of tree {i} asks for {paths.FeaturesMax} different features, and contributions are computed for at most {Limits.ExplainedPathFeaturesMax}; train shallower trees";
                return null;
            }

            Add(tree, output, paths);
            if (_constants.Count + _leafWeights.Count > Limits.ExplainerConstantsMax)
            {
                reason = $"the tables for its contributions would have more than {Limits.ExplainerConstantsMax} numbers; train fewer or smaller trees";
                return null;
            }
        }

        reason = "";
        return Build(expected);
    }

    private TreeTables Build(double[] expected)
    {
        int[] firstTrees = new int[_model.OutputCount + 1];
        foreach (TreePlace tree in _trees) firstTrees[tree.Output + 1]++;
        for (int output = 0; output < _model.OutputCount; output++) firstTrees[output + 1] += firstTrees[output];
        return new TreeTables
        {
            Trees = [.. _trees.OrderBy(static tree => tree.Output)],
            FirstTrees = firstTrees,
            Heads = [.. _heads],
            Constants = [.. _constants],
            LeafWeights = [.. _leafWeights],
            Ratios = [.. _ratios],
            Features = [.. _features],
            Expected = expected,
            PlacesMax = _placesMax,
            BranchesMax = _branchesMax,
        };
    }

    private static string WhyNot(DecisionTree tree, int index)
    {
        if (tree.IsLinear) return $"tree {index} has linear leaves, whose contributions LightGBM does not define either; train with linear_tree=false";
        if (tree.NodeCount == 0) return "";
        if (tree.LeafCount > Limits.ExplainedLeavesPerTreeMax)
        {
            return $"tree {index} has {tree.LeafCount} leaves, and contributions are computed for at most {Limits.ExplainedLeavesPerTreeMax}; train smaller trees";
        }

        if (tree.LeafCounts.IsEmpty || tree.InternalCounts.IsEmpty)
        {
            return $"tree {index} does not say how many training rows its nodes and leaves had (internal_count, leaf_count); save the model again with LightGBM";
        }

        int node = tree.InternalCounts.IndexOfAnyInRange(int.MinValue, 0);
        if (node >= 0) return $"node {node} of tree {index} had {tree.InternalCounts[node]} training rows (internal_count), which leaves its branches without shares; train the model again";
        int leaf = tree.LeafCounts.IndexOfAnyInRange(int.MinValue, 0);
        return leaf < 0 ? "" : $"leaf {leaf} of tree {index} had {tree.LeafCounts[leaf]} training rows (leaf_count), which leaves it without a share; train the model again";
    }

    /// <summary>In the order and with the operations of LightGBM.</summary>
    private static double Expected(DecisionTree tree)
    {
        if (tree.NodeCount == 0) return tree.LeafValues[0];
        double total = tree.InternalCounts[0];
        double sum = 0;
        for (int leaf = 0; leaf < tree.LeafCount; leaf++) sum += tree.LeafCounts[leaf] / total * tree.LeafValues[leaf];
        return sum;
    }

    private void Add(DecisionTree tree, int output, TreePaths paths)
    {
        // n points are exact to degree 2n − 1, and a path of d features gives polynomials of degree d − 1.
        (GaussLegendre rule, int ratios) = RuleOf((paths.FeaturesMax + 1) / 2);
        _trees.Add(new TreePlace(output, _heads.Count, tree.NodeCount, _leafWeights.Count, rule.Count, ratios));
        _branchesMax = Math.Max(_branchesMax, tree.NodeCount + tree.LeafCount);
        _placesMax = Math.Max(_placesMax, tree.LeafCount * rule.Count);
        foreach (PathNode node in paths.Nodes) AddNode(tree, node, rule);
        foreach (PathLeaf leaf in paths.Leaves.OrderBy(static leaf => leaf.Place))
        {
            for (int i = 0; i < rule.Count; i++) _leafWeights.Add(tree.LeafValues[leaf.Leaf] * rule.Weights[i] * Math.Pow(rule.Complement(i), leaf.FeatureCount - 1));
        }
    }

    private void AddNode(DecisionTree tree, in PathNode node, GaussLegendre rule)
    {
        (int column, int rank) = _columns.Question(tree, node.Node);
        _heads.Add(new NodeHead(node.Place, column, Number(tree.SplitFeatures[node.Node]), node.Ancestor, _constants.Count));
        double count = tree.InternalCounts[node.Node];
        double left = Count(tree, tree.LeftChildren[node.Node]) / count;
        double right = Count(tree, tree.RightChildren[node.Node]) / count;
        _constants.AddRange([rank, left, right]);
        double above = node.AncestorShare;
        for (int i = 0; i < rule.Count; i++)
        {
            double ratio = rule.Points[i] / rule.Complement(i);
            double one = 1 / rule.Complement(i);
            if (node.Ancestor > 0) _constants.Add(ratio / (above + ratio));
            _constants.Add(one / ((above * left) + ratio));
            _constants.Add(one / ((above * right) + ratio));
            if (node.Ancestor > 0) _constants.Add(one / (above + ratio));
        }
    }

    private int Number(int feature)
    {
        if (_numberOf[feature] >= 0) return _numberOf[feature];
        _features.Add(feature);
        return _numberOf[feature] = _features.Count - 1;
    }

    private (GaussLegendre Rule, int Ratios) RuleOf(int points)
    {
        if (_rules.TryGetValue(points, out (GaussLegendre Rule, int Ratios) known)) return known;
        (GaussLegendre Rule, int Ratios) made = (new GaussLegendre(points), _ratios.Count);
        for (int i = 0; i < points; i++) _ratios.Add(made.Rule.Points[i] / made.Rule.Complement(i));
        _rules.Add(points, made);
        return made;
    }

    internal static double Count(DecisionTree tree, int child) => child >= 0 ? tree.InternalCounts[child] : tree.LeafCounts[~child];
}
