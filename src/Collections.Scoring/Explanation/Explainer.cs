using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Collections.Scoring.Explanation;

/// <summary>
/// What each feature contributes to a raw score: exact path-dependent TreeSHAP, the contributions that LightGBM's <c>pred_contrib</c> gives (of a
/// random forest, to the sum of its trees).
/// Immutable, safe for any number of threads at once, each with an <see cref="ExplainerScratch"/> of its own.
/// <para>
/// On the way to a leaf of value v lie d different features. For feature j let o be 1 if the row passes all questions that the path asks of
/// it, otherwise 0, and z the share of training rows that pass them. The Shapley value of j in this leaf is
/// <code>v × (o_j − z_j) × ∫₀¹ Π_{k≠j} (o_k t + z_k (1 − t)) dt</code>
/// because the integral of t^s (1 − t)^(d−1−s) is the Shapley weight s! (d−1−s)! ÷ d! (the Beta function). The integrand is a polynomial of
/// degree d − 1, so that Gauss–Legendre with ⌈d ÷ 2⌉ points is exact. With r = t ÷ (1 − t) each factor is (1 − t)(z + o r); the powers of
/// (1 − t) go into the leaf's weight, and (o − z) ÷ (z + o r) is −1 + o (1 + r) ÷ (z + r).
/// </para>
/// <para>
/// A tree is walked once down, multiplying factors at all points, and once up, adding leaves: what a branch contributes to its feature is
/// one sum over the leaves below. Where a feature is asked again below its own branch, its factor is replaced, and what the upper branch claims
/// of those leaves is taken back. Rows go side by side in vectors; nothing branches on what a row holds.
/// </para>
/// </summary>
public sealed unsafe class Explainer
{
    private readonly RowCoder _coder;
    private readonly RankColumns _columns;
    private readonly TreeTables _tables;
    private readonly bool _wide;
    private readonly int _groupsPerBlock;

    private Explainer(LightGbmModel model, RowCoder coder, RankColumns columns, TreeTables tables, bool wide)
    {
        _coder = coder;
        _columns = columns;
        _tables = tables;
        _wide = wide;
        FeatureCount = model.FeatureNames.Count;
        OutputCount = model.OutputCount;
        int groupBytes = (columns.Count + tables.Features.Length) * Lanes * sizeof(double);
        _groupsPerBlock = Math.Clamp(Limits.ExplainerBlockBytesMax / Math.Max(1, groupBytes), 1, Limits.GroupsPerBlockMax);
    }

    /// <summary>Columns of a row.</summary>
    public int FeatureCount { get; }

    /// <summary>Scores a row.</summary>
    public int OutputCount { get; }

    /// <summary>Contributions a row: for each output, one a feature and then the expected value.</summary>
    public int ContributionCount => (FeatureCount + 1) * OutputCount;

    /// <summary>Rows that are explained together at the least cost a row; more are taken in blocks of as many.</summary>
    public int BlockRows => _groupsPerBlock * Lanes;

    private int Lanes => _wide ? EightLanes.Count : FourLanes.Count;

    /// <summary>Compiles a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="reason">Why it can't be explained, and what to do; empty if it can.</param>
    /// <returns>Null for a model whose contributions are not defined (linear leaves, no training counts), or beyond the limits.</returns>
    public static Explainer? TryCompile(LightGbmModel model, out string reason) => TryCompile(model, Vector512.IsHardwareAccelerated, out reason);

    /// <summary>The same with vectors of a given width, so that tests can hold one against the other.</summary>
    internal static Explainer? TryCompile(LightGbmModel model, bool wide, out string reason)
    {
        reason = TreeTablesBuilder.WhyNot(model);
        if (reason.Length > 0) return null;
        RankColumnsBuilder? columns = RankColumnsBuilder.TryCollect(model);
        if (columns is null)
        {
            reason = "it has more thresholds or categories than ranks can hold; train with fewer bins";
            return null;
        }

        TreeTables? tables = new TreeTablesBuilder(model, columns).TryBuild(out reason);
        return tables is null ? null : new Explainer(model, columns.BuildCoder(model.FeatureNames.Count), columns.BuildColumns(), tables, wide);
    }

    /// <summary>Working memory for one caller at a time.</summary>
    public ExplainerScratch NewScratch() => new(this, CodesOffset + (((Lanes * _coder.CodeBytes) + sizeof(double) - 1) / sizeof(double)));

    /// <summary>
    /// Computes contributions. Per row and output they sum to the raw score, and the last one is the expected value: what is left when no
    /// feature speaks.
    /// </summary>
    /// <param name="rows">Row-major, <see cref="FeatureCount"/> doubles a row; NaN is missing.</param>
    /// <param name="rowCount">Rows, 0 or more.</param>
    /// <param name="contributions">Receives <paramref name="rowCount"/> × <see cref="ContributionCount"/> doubles, row-major.</param>
    /// <param name="scratch">Of this explainer, not used by another thread meanwhile.</param>
    /// <exception cref="ArgumentException">A span is shorter than the row count calls for, or the scratch is another explainer's.</exception>
    public void Explain(ReadOnlySpan<double> rows, int rowCount, Span<double> contributions, ExplainerScratch scratch)
    {
        if (rowCount < 0 || rows.Length < (long)rowCount * FeatureCount) throw new ArgumentException($"{rows.Length} doubles for {rowCount} rows of {FeatureCount}.", nameof(rows));
        if (contributions.Length < (long)rowCount * ContributionCount) throw new ArgumentException($"{contributions.Length} places for {rowCount} rows of {ContributionCount} contributions.", nameof(contributions));
        if (!ReferenceEquals(scratch.Owner, this)) throw new ArgumentException("The scratch was made by another explainer.", nameof(scratch));
        if (_wide) ExplainBlocks<EightLanes>(rows, rowCount, contributions, scratch);
        else ExplainBlocks<FourLanes>(rows, rowCount, contributions, scratch);
    }

    // The scratch holds, in this order: the ranks of a block, its contributions to one output, the sides of a tree's branches, its places; then the codes of one group.
    private int SumsOffset => _groupsPerBlock * _columns.Count * Lanes;

    private int SidesOffset => SumsOffset + (_groupsPerBlock * _tables.Features.Length * Lanes);

    private int PlacesOffset => SidesOffset + (_tables.BranchesMax * Lanes);

    private int CodesOffset => PlacesOffset + (_tables.PlacesMax * Lanes);

    private void ExplainBlocks<T>(ReadOnlySpan<double> rows, int rowCount, Span<double> contributions, ExplainerScratch scratch)
        where T : struct, ILanes<T>
    {
        contributions[..(rowCount * ContributionCount)].Clear();
        fixed (double* from = rows, to = contributions)
        {
            for (int first = 0; first < rowCount; first += BlockRows)
            {
                int count = Math.Min(BlockRows, rowCount - first);
                Rank(from + ((long)first * FeatureCount), count, scratch.Start, (byte*)(scratch.Start + CodesOffset));
                int groups = (count + Lanes - 1) / Lanes;
                for (int output = 0; output < OutputCount; output++)
                {
                    new Span<double>(scratch.Start + SumsOffset, groups * _tables.Features.Length * Lanes).Clear();
                    AddTrees<T>(output, groups, scratch.Start);
                    Hand(scratch.Start + SumsOffset, count, to + ((long)first * ContributionCount) + ((long)output * (FeatureCount + 1)));
                    for (int row = 0; row < count; row++) to[((long)(first + row) * ContributionCount) + ((long)output * (FeatureCount + 1)) + FeatureCount] = _tables.Expected[output];
                }
            }
        }

        GC.KeepAlive(scratch);
    }

    /// <summary>Ranks as doubles, which compare as fast as integers and need no widening in the walk. Lanes without a row repeat nothing that matters.</summary>
    private void Rank(double* rows, int count, double* ranks, byte* codes)
    {
        int lanes = Lanes;
        int width = _columns.Count * lanes;
        for (int first = 0; first < count; first += lanes, ranks += width)
        {
            new Span<double>(ranks, width).Clear();
            int group = Math.Min(lanes, count - first);
            _coder.Encode(rows + ((long)first * FeatureCount), group, codes);
            _columns.Spread(codes, group, _coder.CodeBytes, (ulong*)ranks, lanes);
            for (int i = 0; i < width; i++) ranks[i] = ((ulong*)ranks)[i];
        }
    }

    private void AddTrees<T>(int output, int groups, double* scratch)
        where T : struct, ILanes<T>
    {
        int rankWidth = _columns.Count * T.Count;
        int sumWidth = _tables.Features.Length * T.Count;
        fixed (NodeHead* heads = _tables.Heads)
        fixed (double* constants = _tables.Constants, leafWeights = _tables.LeafWeights, ratios = _tables.Ratios)
        {
            foreach (ref readonly TreePlace tree in _tables.Trees.AsSpan(_tables.FirstTrees[output].._tables.FirstTrees[output + 1]))
            {
                TreeWalk<T> walk = new(heads + tree.FirstNode, tree.NodeCount, constants, ratios + tree.Ratios, tree.Points, scratch + SidesOffset, scratch + PlacesOffset);
                for (int group = 0; group < groups; group++)
                {
                    walk.Down(scratch + (group * rankWidth));
                    walk.WeighLeaves(leafWeights + tree.FirstLeafWeight);
                    walk.Up(scratch + SumsOffset + (group * sumWidth));
                }
            }
        }
    }

    /// <summary>From lanes to rows.</summary>
    private void Hand(double* sums, int count, double* to)
    {
        int lanes = Lanes;
        int[] features = _tables.Features;
        for (int row = 0; row < count; row++)
        {
            double* group = sums + ((long)(row / lanes) * features.Length * lanes) + (row % lanes);
            for (int i = 0; i < features.Length; i++) to[((long)row * ContributionCount) + features[i]] = group[i * lanes];
        }
    }
}
