namespace Collections.Scoring;

/// <summary>
/// A model compiled to be evaluated: immutable, safe for any number of threads at once, and without allocation per call.
/// Raw scores have the bits that LightGBM 4.6 gives, whatever the size of the batch and the path taken.
/// Ordinary models (numerical and categorical splits, constant leaves) are scored over lossless codes, see
/// <see cref="RankedForest"/>; the rest (linear leaves, models beyond the limits of ranks) over doubles, see <see cref="PlainForest"/>.
/// </summary>
public sealed class Ensemble
{
    private readonly PlainForest _plain;
    private readonly CodedForest? _ranked;

    private Ensemble(LightGbmModel model, PlainForest plain, CodedForest? ranked)
    {
        Model = model;
        _plain = plain;
        _ranked = ranked;
        FeatureCount = model.FeatureNames.Count;
        OutputCount = model.OutputCount;
        TreeCount = model.Trees.Count;
    }

    /// <summary>The description this was compiled from.</summary>
    public LightGbmModel Model { get; }

    /// <summary>Columns of a row.</summary>
    public int FeatureCount { get; }

    /// <summary>Scores a row.</summary>
    public int OutputCount { get; }

    /// <summary>Trees, and so leaves a row in <see cref="PredictLeaves"/>.</summary>
    public int TreeCount { get; }

    /// <summary>True when rows are walked over ranks (the fast path), false when over doubles.</summary>
    public bool IsRanked => _ranked is not null;

    /// <summary>
    /// Bytes of a row's code (<see cref="Encode"/>): about one a feature that the model asks for. 0 when the model is not ranked and
    /// has no codes, and when it asks for no feature at all.
    /// </summary>
    public int CodeBytes => _ranked?.CodeBytes ?? 0;

    /// <summary>The ways that rows may take on this machine.</summary>
    internal ScoringPaths Paths => _ranked?.Paths ?? ScoringPaths.Plain;

    /// <summary>Compiles a model. Every model that the reader accepts can be compiled.</summary>
    public static Ensemble Compile(LightGbmModel model) => Compile(model, ScoringPaths.All);

    /// <summary>The same ensemble with some of its ways only, so that tests can hold one against the other.</summary>
    internal static Ensemble Compile(LightGbmModel model, ScoringPaths paths) =>
        new(model, PlainForest.Compile(model), paths == ScoringPaths.Plain ? null : CodedForest.TryCompile(model, paths));

    /// <summary>Raw scores: per output, the sum over its trees, in the order of the file.</summary>
    /// <param name="rows">Row-major, <see cref="FeatureCount"/> doubles a row; NaN is missing.</param>
    /// <param name="rowCount">Rows, 0 or more.</param>
    /// <param name="raw">Receives <paramref name="rowCount"/> × <see cref="OutputCount"/> scores, row-major.</param>
    /// <exception cref="ArgumentException">A span is shorter than the row count calls for.</exception>
    public void PredictRaw(ReadOnlySpan<double> rows, int rowCount, Span<double> raw)
    {
        rows = Rows(rows, rowCount);
        raw = Exactly(raw, rowCount, OutputCount, nameof(raw));
        raw.Clear();
        if (_ranked is not null) _ranked.AddScores(rows, rowCount, raw);
        else _plain.AddScores(rows, rowCount, raw);
    }

    /// <summary>
    /// Codes of rows: what the model can tell of them, and nothing else. Equal codes mean equal scores, exactly; so who keeps a row's
    /// last code and score need not score it again while the code stays the same. Codes of different models have nothing in common.
    /// </summary>
    /// <param name="rows">Row-major, <see cref="FeatureCount"/> doubles a row; NaN is missing.</param>
    /// <param name="rowCount">Rows, 0 or more.</param>
    /// <param name="codes">Receives <paramref name="rowCount"/> × <see cref="CodeBytes"/> bytes, row-major.</param>
    /// <exception cref="ArgumentException">A span is shorter than the row count calls for.</exception>
    /// <exception cref="InvalidOperationException">The model has no codes: <see cref="IsRanked"/> is false.</exception>
    public void Encode(ReadOnlySpan<double> rows, int rowCount, Span<byte> codes)
    {
        CodedForest ranked = RequireCodes();
        rows = Rows(rows, rowCount);
        Require(codes, rowCount);
        ranked.Encode(rows, rowCount, codes);
    }

    /// <summary>Raw scores from codes, with the bits that <see cref="PredictRaw"/> gives for the rows that they come from.</summary>
    /// <param name="codes">Row-major, <see cref="CodeBytes"/> bytes a row, from <see cref="Encode"/> of this ensemble.</param>
    /// <param name="rowCount">Rows, 0 or more.</param>
    /// <param name="raw">Receives <paramref name="rowCount"/> × <see cref="OutputCount"/> scores, row-major.</param>
    /// <exception cref="ArgumentException">A span is shorter than the row count calls for.</exception>
    /// <exception cref="InvalidOperationException">The model has no codes: <see cref="IsRanked"/> is false.</exception>
    public void PredictCodes(ReadOnlySpan<byte> codes, int rowCount, Span<double> raw)
    {
        CodedForest ranked = RequireCodes();
        Require(codes, rowCount);
        raw = Exactly(raw, rowCount, OutputCount, nameof(raw));
        raw.Clear();
        ranked.AddScores(codes, rowCount, raw);
    }

    /// <summary>Outputs of the objective (probabilities, expectations, …) from raw scores.</summary>
    /// <param name="raw">Scores as <see cref="PredictRaw"/> gives them.</param>
    /// <param name="rowCount">Rows, 0 or more.</param>
    /// <param name="output">Receives as many outputs; may be <paramref name="raw"/> itself.</param>
    /// <exception cref="ArgumentException">A span is shorter than the row count calls for.</exception>
    public void Transform(ReadOnlySpan<double> raw, int rowCount, Span<double> output)
    {
        raw = Exactly(raw, rowCount, OutputCount, nameof(raw));
        output = Exactly(output, rowCount, OutputCount, nameof(output));
        raw.CopyTo(output);
        if (Model.AverageOutput)
        {
            double iterations = Model.IterationCount;
            foreach (ref double x in output) x /= iterations;
        }

        OutputTransform.Apply(Model.Objective, OutputCount, output);
    }

    /// <summary>The leaf that each row reaches in each tree; for tests and explanations, not for speed.</summary>
    /// <param name="rows">Row-major, <see cref="FeatureCount"/> doubles a row.</param>
    /// <param name="rowCount">Rows, 0 or more.</param>
    /// <param name="leaves">Receives <paramref name="rowCount"/> × <see cref="TreeCount"/> leaf numbers, row-major.</param>
    /// <exception cref="ArgumentException">A span is shorter than the row count calls for.</exception>
    public void PredictLeaves(ReadOnlySpan<double> rows, int rowCount, Span<int> leaves)
    {
        rows = Rows(rows, rowCount);
        if (leaves.Length < (long)rowCount * TreeCount)
        {
            throw new ArgumentException($"{leaves.Length} places for {rowCount} rows of {TreeCount} leaves.", nameof(leaves));
        }

        _plain.FindLeaves(rows, rowCount, leaves);
    }

    private CodedForest RequireCodes() =>
        _ranked ?? throw new InvalidOperationException("The model has no codes (IsRanked is false); score its rows with PredictRaw.");

    private void Require(ReadOnlySpan<byte> codes, int rowCount)
    {
        if (rowCount < 0 || codes.Length < (long)rowCount * CodeBytes)
        {
            throw new ArgumentException($"{codes.Length} bytes for {rowCount} codes of {CodeBytes}.", nameof(codes));
        }
    }

    private ReadOnlySpan<double> Rows(ReadOnlySpan<double> rows, int rowCount) => Exactly(rows, rowCount, FeatureCount, nameof(rows));

    private static ReadOnlySpan<double> Exactly(ReadOnlySpan<double> span, int rowCount, int width, string name)
    {
        Require(span.Length, rowCount, width, name);
        return span[..(rowCount * width)];
    }

    private static Span<double> Exactly(Span<double> span, int rowCount, int width, string name)
    {
        Require(span.Length, rowCount, width, name);
        return span[..(rowCount * width)];
    }

    private static void Require(int length, int rowCount, int width, string name)
    {
        if (rowCount < 0 || length < (long)rowCount * width)
        {
            throw new ArgumentException($"{length} doubles for {rowCount} rows of {width}.", name);
        }
    }
}
