namespace Collections.Scoring.Explanation;

/// <summary>
/// The working memory of one caller of an <see cref="Explainer"/>, made once and used again. One thread at a time; several threads take one each.
/// </summary>
public sealed unsafe class ExplainerScratch
{
    /// <summary>Vectors of 64 bytes that cross a cache line cost twice as much.</summary>
    private const int AlignmentBytes = 64;

    private readonly double[] _memory;
    private readonly double* _start;

    internal ExplainerScratch(Explainer owner, int doubles)
    {
        Owner = owner;
        _memory = GC.AllocateArray<double>(doubles + (AlignmentBytes / sizeof(double)), pinned: true);
        fixed (double* at = _memory) _start = (double*)(((nuint)at + AlignmentBytes - 1) & ~(nuint)(AlignmentBytes - 1));
    }

    internal Explainer Owner { get; }

    /// <summary>The first of its doubles, at the start of a cache line.</summary>
    internal double* Start
    {
        get
        {
            GC.KeepAlive(_memory);
            return _start;
        }
    }
}
