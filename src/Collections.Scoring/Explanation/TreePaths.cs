namespace Collections.Scoring.Explanation;

/// <summary>
/// A node in the order of the walk, its parent before it. Its branches have the numbers 2 × its position + 1 and + 2. On its left branch the walk
/// goes on in the node's own place; its right branch has the place position + 1. So every leaf has a place of its own, from 0 on.
/// </summary>
/// <param name="Ancestor">The number of the nearest branch above that was made by the same feature; 0 if there is none.</param>
/// <param name="AncestorShare">The share of training rows that the path's questions to that feature let through down to there; 1 if there is none.</param>
internal readonly record struct PathNode(int Node, int Place, int Ancestor, double AncestorShare);

/// <param name="FeatureCount">Different features on its path.</param>
internal readonly record struct PathLeaf(int Leaf, int Place, int FeatureCount);

/// <summary>The paths of one tree: which branches were made by the same feature. Without recursion, as a tree may be as deep as it has leaves.</summary>
internal sealed class TreePaths
{
    private readonly DecisionTree _tree;
    private readonly Dictionary<int, (int Branch, double Share)> _open = [];
    private readonly Stack<Visit> _pending = new();
    private readonly List<PathNode> _nodes = [];
    private readonly List<PathLeaf> _leaves = [];

    public TreePaths(DecisionTree tree, int featureCount)
    {
        _tree = tree;
        _open.EnsureCapacity(Math.Min(featureCount, tree.NodeCount));
        _pending.Push(new Visit(Child: 0, Place: 0, Branch: 0, Feature: -1, Before: default, Share: 1, IsEnd: false));
        while (_pending.TryPop(out Visit visit))
        {
            if (visit.IsEnd) Close(visit);
            else Enter(visit);
        }
    }

    public IReadOnlyList<PathNode> Nodes => _nodes;

    public IReadOnlyList<PathLeaf> Leaves => _leaves;

    /// <summary>The most different features on a path.</summary>
    public int FeaturesMax { get; private set; }

    private void Enter(in Visit visit)
    {
        if (visit.Feature >= 0)
        {
            // The branch counts as its feature's latest until everything below it has been visited.
            _open.TryGetValue(visit.Feature, out (int Branch, double Share) before);
            _pending.Push(visit with { IsEnd = true, Before = before });
            _open[visit.Feature] = (visit.Branch, visit.Share);
        }

        if (visit.Child < 0)
        {
            _leaves.Add(new PathLeaf(~visit.Child, visit.Place, _open.Count));
            FeaturesMax = Math.Max(FeaturesMax, _open.Count);
            return;
        }

        int node = visit.Child;
        int feature = _tree.SplitFeatures[node];
        bool repeated = _open.TryGetValue(feature, out (int Branch, double Share) above);
        int position = _nodes.Count;
        double share = repeated ? above.Share : 1;
        _nodes.Add(new PathNode(node, visit.Place, repeated ? above.Branch : 0, share));
        double count = _tree.InternalCounts[node];
        int place = visit.Place;
        Push(_tree.RightChildren[node], position + 1, (2 * position) + 2);
        Push(_tree.LeftChildren[node], place, (2 * position) + 1);

        void Push(int child, int at, int branch) =>
            _pending.Push(new Visit(child, at, branch, feature, default, share * TreeTablesBuilder.Count(_tree, child) / count, IsEnd: false));
    }

    private void Close(in Visit visit)
    {
        if (visit.Before.Branch > 0) _open[visit.Feature] = visit.Before;
        else _open.Remove(visit.Feature);
    }

    /// <summary>Something to enter, or, with <paramref name="IsEnd"/>, a branch that is done.</summary>
    private readonly record struct Visit(int Child, int Place, int Branch, int Feature, (int Branch, double Share) Before, double Share, bool IsEnd);
}
