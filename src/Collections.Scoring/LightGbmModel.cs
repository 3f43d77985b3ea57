namespace Collections.Scoring;

/// <summary>
/// A LightGBM model as its file describes it: validated, immutable, in no particular form for speed.
/// <see cref="Ensemble.Compile"/> makes the form that scores; explanations and listings read this one.
/// </summary>
public sealed class LightGbmModel
{
    private readonly string[] _featureNames;
    private readonly DecisionTree[] _trees;

    internal LightGbmModel(string formatVersion, string[] featureNames, int outputCount, Objective objective, bool averageOutput, DecisionTree[] trees)
    {
        FormatVersion = formatVersion;
        _featureNames = featureNames;
        OutputCount = outputCount;
        Objective = objective;
        AverageOutput = averageOutput;
        _trees = trees;
    }

    /// <summary>The format's version as written: <c>v2</c>, <c>v3</c> or <c>v4</c>.</summary>
    public string FormatVersion { get; }

    /// <summary>The names of the features in the order of a row's columns; each occurs once.</summary>
    public IReadOnlyList<string> FeatureNames => _featureNames;

    /// <summary>Outputs a row: the number of classes of a multiclass model, otherwise 1.</summary>
    public int OutputCount { get; }

    /// <summary>What it was trained for, and how raw scores become outputs.</summary>
    public Objective Objective { get; }

    /// <summary>True for random forests: the output transforms the mean over iterations, not the sum.</summary>
    public bool AverageOutput { get; }

    /// <summary>The trees in file order; tree i adds to output i mod <see cref="OutputCount"/>.</summary>
    public IReadOnlyList<DecisionTree> Trees => _trees;

    /// <summary>Boosting iterations: trees ÷ outputs.</summary>
    public int IterationCount => _trees.Length / OutputCount;
}

/// <summary>What a numerical split takes for a missing value.</summary>
public enum MissingKind
{
    /// <summary>Nothing is missing: NaN is read as 0.</summary>
    None = 0,
    /// <summary>Zero, and NaN read as zero, go the default way.</summary>
    Zero = 1,
    /// <summary>NaN goes the default way.</summary>
    NaN = 2,
}

/// <summary>
/// One tree. Internal nodes are numbered from 0 (the root), leaves from 0; a child that is ≥ 0 is an internal node, and one
/// below 0 is leaf ~child. The reader has proved that the children form one proper tree, and that all lengths agree.
/// </summary>
public sealed class DecisionTree
{
    private const int CategoricalBit = 1;
    private const int DefaultLeftBit = 2;
    private const int MissingShift = 2;

    internal DecisionTree()
    {
    }

    internal int[] SplitFeatureArray { get; init; } = [];
    internal double[] ThresholdArray { get; init; } = [];
    internal byte[] DecisionTypeArray { get; init; } = [];
    internal int[] LeftChildArray { get; init; } = [];
    internal int[] RightChildArray { get; init; } = [];
    internal double[] LeafValueArray { get; init; } = [];
    internal int[] LeafCountArray { get; init; } = [];
    internal int[] InternalCountArray { get; init; } = [];
    internal int[] CategoryBoundaryArray { get; init; } = [];
    internal uint[] CategoryBitArray { get; init; } = [];
    internal LinearLeaves? Linear { get; init; }

    /// <summary>Leaves, at least 1.</summary>
    public int LeafCount => LeafValueArray.Length;

    /// <summary>Internal nodes: leaves − 1.</summary>
    public int NodeCount => SplitFeatureArray.Length;

    /// <summary>The feature each node splits on, as a row's column.</summary>
    public ReadOnlySpan<int> SplitFeatures => SplitFeatureArray;

    /// <summary>Per node, the largest value that goes left (never NaN, may be infinite); for a categorical node, its set's number.</summary>
    public ReadOnlySpan<double> Thresholds => ThresholdArray;

    /// <summary>Per node, where values at or below the threshold, or in the set, go.</summary>
    public ReadOnlySpan<int> LeftChildren => LeftChildArray;

    /// <summary>Per node, where all others go.</summary>
    public ReadOnlySpan<int> RightChildren => RightChildArray;

    /// <summary>Per leaf, what it adds to the score; of a linear leaf, what it adds when one of its inputs is NaN.</summary>
    public ReadOnlySpan<double> LeafValues => LeafValueArray;

    /// <summary>Training rows per leaf; empty when the file does not say.</summary>
    public ReadOnlySpan<int> LeafCounts => LeafCountArray;

    /// <summary>Training rows per internal node; empty when the file does not say.</summary>
    public ReadOnlySpan<int> InternalCounts => InternalCountArray;

    /// <summary>True when its leaves hold linear models.</summary>
    public bool IsLinear => Linear is not null;

    /// <summary>True when the node asks for membership in a set of categories.</summary>
    public bool IsCategorical(int node) => (DecisionTypeArray[node] & CategoricalBit) != 0;

    /// <summary>True when a missing value goes left.</summary>
    public bool DefaultLeft(int node) => (DecisionTypeArray[node] & DefaultLeftBit) != 0;

    /// <summary>What the node takes for missing; without meaning for a categorical node.</summary>
    public MissingKind Missing(int node) => (MissingKind)(DecisionTypeArray[node] >> MissingShift);

    /// <summary>The categories that go left, 32 a word, the least first.</summary>
    public ReadOnlySpan<uint> CategorySet(int node)
    {
        int set = (int)ThresholdArray[node];
        int start = CategoryBoundaryArray[set];
        return CategoryBitArray.AsSpan(start, CategoryBoundaryArray[set + 1] - start);
    }
}

/// <summary>The linear models in a tree's leaves: constant + Σ coefficient × feature, terms of leaf i at Start[i] .. Start[i + 1].</summary>
internal sealed record LinearLeaves(double[] Constants, int[] Start, int[] Features, double[] Coefficients);
