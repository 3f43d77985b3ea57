using System.Runtime.CompilerServices;

namespace Collections.Scoring;

/// <summary>
/// A model over codes (<see cref="RowCoder"/>), and the ways to score them, all equal bit for bit: walking
/// (<see cref="RankedForest"/>), which every machine and model can; tree masks (<see cref="TreeMaskForest"/>) where the machine has the
/// instructions and the model fits; and where its columns are too many for them, leaf masks (<see cref="LeafMaskForest"/>) for batches.
/// </summary>
internal sealed unsafe class CodedForest
{
    private readonly RowCoder _coder;
    private readonly RankedForest _walk;
    private readonly TreeMaskForest? _treeMasks;
    private readonly LeafMaskForest? _leafMasks;
    private readonly int _leafMaskRowsMin;
    private readonly int _featureCount;
    private readonly int _outputCount;

    private CodedForest(LightGbmModel model, RankColumnsBuilder builder, ScoringPaths paths)
    {
        _featureCount = model.FeatureNames.Count;
        _outputCount = model.OutputCount;
        _coder = builder.BuildCoder(_featureCount);
        RankColumns columns = builder.BuildColumns();
        _walk = RankedForest.Compile(model, builder, columns);
        if (paths.HasFlag(ScoringPaths.TreeMasks)) _treeMasks = TreeMaskForest.TryCompile(model, builder, _coder);
        if (paths.HasFlag(ScoringPaths.LeafMasks) && _treeMasks is null) _leafMasks = LeafMaskForest.TryCompile(model, builder, columns);
        _leafMaskRowsMin = paths.HasFlag(ScoringPaths.Walk) ? Limits.LeafMaskRowsMin : 1;
        Paths = (_treeMasks is null ? 0 : ScoringPaths.TreeMasks) | (_leafMasks is null ? 0 : ScoringPaths.LeafMasks) | ScoringPaths.Walk;
    }

    /// <summary>The ways that there are on this machine for this model.</summary>
    public ScoringPaths Paths { get; }

    /// <summary>Bytes of a row's code.</summary>
    public int CodeBytes => _coder.CodeBytes;

    /// <summary>Compiles a model; null when it has linear leaves or exceeds the limits of ranks.</summary>
    public static CodedForest? TryCompile(LightGbmModel model, ScoringPaths paths)
    {
        RankColumnsBuilder? builder = RankColumnsBuilder.TryCollect(model);
        return builder is null ? null : new CodedForest(model, builder, paths);
    }

    public void Encode(ReadOnlySpan<double> rows, int rowCount, Span<byte> codes)
    {
        fixed (double* rowsAt = rows)
        fixed (byte* codesAt = codes)
        {
            _coder.Encode(rowsAt, rowCount, codesAt);
        }
    }

    /// <summary>Adds each tree's value to the rows' outputs, trees in file order.</summary>
    [SkipLocalsInit]
    public void AddScores(ReadOnlySpan<double> rows, int rowCount, Span<double> raw)
    {
        int blockRows = Math.Clamp(Limits.CodeBlockBytesMax / Math.Max(1, CodeBytes), 1, Limits.CodeBlockRowsMax);
        byte* codes = stackalloc byte[Math.Max(1, Math.Min(blockRows, rowCount) * CodeBytes)];
        fixed (double* rowsAt = rows, rawAt = raw)
        {
            for (int first = 0; first < rowCount; first += blockRows)
            {
                int count = Math.Min(blockRows, rowCount - first);
                _coder.Encode(rowsAt + ((long)first * _featureCount), count, codes);
                AddScores(codes, count, rawAt + ((long)first * _outputCount));
            }
        }
    }

    /// <summary>The same from codes.</summary>
    public void AddScores(ReadOnlySpan<byte> codes, int rowCount, Span<double> raw)
    {
        fixed (byte* codesAt = codes)
        fixed (double* rawAt = raw)
        {
            AddScores(codesAt, rowCount, rawAt);
        }
    }

    private void AddScores(byte* codes, int rowCount, double* raw)
    {
        if (rowCount == 0) return;
        if (_treeMasks is not null)
        {
            _treeMasks.AddScores(codes, rowCount, CodeBytes, raw);
            return;
        }

        while (_leafMasks is not null && rowCount >= _leafMaskRowsMin)
        {
            int count = Math.Min(LeafMaskForest.Lanes, rowCount);
            _leafMasks.AddScores(codes, count, CodeBytes, raw);
            codes += (long)count * CodeBytes;
            raw += (long)count * _outputCount;
            rowCount -= count;
        }

        if (rowCount > 0) _walk.AddScores(codes, rowCount, CodeBytes, raw);
    }
}

/// <summary>Ways of scoring. What is not named is not used; tests name one at a time to hold them against each other.</summary>
[Flags]
internal enum ScoringPaths
{
    /// <summary>Over doubles, tree by tree: what every model can.</summary>
    Plain = 0,

    /// <summary>Over ranks, several rows or trees side by side.</summary>
    Walk = 1,

    /// <summary>One row against a tree.</summary>
    TreeMasks = 2,

    /// <summary>64 rows against a node.</summary>
    LeafMasks = 4,

    /// <summary>Whatever is fastest.</summary>
    All = Walk | TreeMasks | LeafMasks,
}
