namespace Collections.Scoring.Explanation;

/// <summary>What a walk needs to know of one node; see <see cref="PathNode"/> for places and branches.</summary>
/// <param name="Place">Where the product of its path stands, and its left branch's.</param>
/// <param name="Column">The column of ranks that it asks.</param>
/// <param name="Feature">The number of its feature among those that the model splits on.</param>
/// <param name="Ancestor">The number of the nearest branch above it that was made by the same feature; 0 if there is none.</param>
/// <param name="Constants">Where its constants begin.</param>
internal readonly record struct NodeHead(int Place, int Column, int Feature, int Ancestor, int Constants);

/// <summary>One tree in the tables.</summary>
/// <param name="Output">The output that it adds to.</param>
/// <param name="Points">The points of its quadrature; their ratios t ÷ (1 − t) begin at <paramref name="Ratios"/>.</param>
internal readonly record struct TreePlace(int Output, int FirstNode, int NodeCount, int FirstLeafWeight, int Points, int Ratios);

/// <summary>The trees of a model as constants of the walk that <see cref="Explainer"/> describes.</summary>
internal sealed class TreeTables
{
    /// <summary>Constants before those of the points: the largest rank that goes left, and the left and the right branch's share.</summary>
    public const int FixedConstants = 3;

    /// <summary>Constants a point of a node whose feature is the first of its path: its two branches' factors.</summary>
    public const int ConstantsOfFirst = 2;

    /// <summary>Constants a point of a node whose feature was asked above it: of replacing its factor, of both branches, of the one above.</summary>
    public const int ConstantsOfRepeated = 4;

    /// <summary>The trees that split, by the output that they add to.</summary>
    public required TreePlace[] Trees { get; init; }

    /// <summary>Per output the place of its first tree in <see cref="Trees"/>; one more ends the last.</summary>
    public required int[] FirstTrees { get; init; }

    public required NodeHead[] Heads { get; init; }

    public required double[] Constants { get; init; }

    /// <summary>For each tree's places and points: the leaf's value × the point's weight × (1 − t) to the power of its path's features less one.</summary>
    public required double[] LeafWeights { get; init; }

    /// <summary>t ÷ (1 − t) of each rule's points.</summary>
    public required double[] Ratios { get; init; }

    /// <summary>The model's column of each numbered feature.</summary>
    public required int[] Features { get; init; }

    /// <summary>Per output, what is expected of a row of which nothing is known: the mean leaf, weighted by training rows.</summary>
    public required double[] Expected { get; init; }

    /// <summary>The most doubles a lane that one tree's places take.</summary>
    public required int PlacesMax { get; init; }

    /// <summary>The most branches of a tree, and one.</summary>
    public required int BranchesMax { get; init; }
}
