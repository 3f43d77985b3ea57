using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Collections.Scoring;

/// <summary>
/// The columns that <see cref="TreeMaskForest"/> asks, one byte each, of one row. Numerical columns hold ranks, as in
/// <see cref="RankColumns"/>. A categorical feature has a column for each eight of its codes, in which the row's code sets one bit:
/// whether a row is outside a set is then whether any bit of the set's complement is there, so that all sets share the columns.
/// </summary>
internal sealed unsafe class TreeMaskTables
{
    /// <summary>Columns, and bytes of a table.</summary>
    public const int ColumnsMax = 64;

    private const int CodesPerColumn = 8;

    private readonly NumericColumn[] _numeric;
    private readonly CategoricalPart[] _categorical;
    private readonly Dictionary<int, int> _firstPartOf;

    /// <summary>Per column: the code's place, zero's code and rank, NaN's code and rank, the first code of a part, and 255 for parts.</summary>
    private readonly AlignedArray<byte> _lanes;

    private readonly int _codeBytes;
    private readonly bool _isPacked;

    private TreeMaskTables(NumericColumn[] numeric, CategoricalPart[] categorical, Dictionary<int, int> firstPartOf, int codeBytes)
    {
        _numeric = numeric;
        _categorical = categorical;
        _firstPartOf = firstPartOf;
        _codeBytes = codeBytes;
        _isPacked = codeBytes <= ColumnsMax && numeric.All(static column => !column.Place.IsWide) && categorical.All(static part => !part.Place.IsWide);
        _lanes = new AlignedArray<byte>(Lanes());
    }

    /// <summary>Eight codes of a categorical feature.</summary>
    private readonly record struct CategoricalPart(CodePlace Place, int Column, int FirstCode);

    /// <summary>Numbers the columns; null when they are too many, or a rank does not fit a byte.</summary>
    public static TreeMaskTables? TryBuild(RankColumnsBuilder builder, RowCoder coder)
    {
        NumericColumn[] numeric = builder.NumericColumns();
        if (builder.RankMax() > byte.MaxValue || numeric.Length > ColumnsMax) return null;
        List<CategoricalPart> parts = [];
        Dictionary<int, int> firstPartOf = [];
        foreach ((int feature, CodePlace place, int codeCount) in builder.CategoricalCodes())
        {
            firstPartOf.Add(feature, numeric.Length + parts.Count);
            for (int first = 0; first < codeCount; first += CodesPerColumn)
            {
                parts.Add(new CategoricalPart(place, numeric.Length + parts.Count, first));
                if (numeric.Length + parts.Count > ColumnsMax) return null;
            }
        }

        return new TreeMaskTables(numeric, [.. parts], firstPartOf, coder.CodeBytes);
    }

    /// <summary>What a categorical node asks of its feature's columns: the bits of the codes inside its set, and of those outside.</summary>
    public IEnumerable<(int Column, byte Inside, byte Outside)> CategoryBits(DecisionTree tree, int node, RankColumnsBuilder builder)
    {
        int column = _firstPartOf[tree.SplitFeatures[node]];
        ushort[] outside = builder.RanksOfCodes(tree, node);
        return outside.Chunk(CodesPerColumn).Select((codes, part) =>
        {
            int bits = 0;
            for (int i = 0; i < codes.Length; i++) bits |= codes[i] << i;
            return (column + part, (byte)(((1 << codes.Length) - 1) & ~bits), (byte)bits);
        });
    }

    /// <summary>Fills one row's table.</summary>
    /// <param name="rowCode">The row's code.</param>
    /// <param name="table">64 bytes, aligned.</param>
    public void Fill(byte* rowCode, byte* table)
    {
        if (!_isPacked)
        {
            foreach (ref readonly NumericColumn column in _numeric.AsSpan()) table[column.Column] = (byte)column.RankOf(rowCode);
            foreach (ref readonly CategoricalPart part in _categorical.AsSpan()) table[part.Column] = Bit(part.Place.Read(rowCode) - part.FirstCode);
            return;
        }

        byte* lanes = _lanes.Start;
        Vector512<byte> present = Vector512.LessThan(Vector512<byte>.Indices, Vector512.Create((byte)_codeBytes));
        Vector512<byte> codes = Avx512BW.MaskLoad(rowCode, present, Vector512<byte>.Zero);
        codes = Avx512Vbmi.PermuteVar64x8(codes, Vector512.LoadAligned(lanes));
        Vector512<byte> isZero = Vector512.Equals(codes, Vector512.LoadAligned(lanes + 64));
        Vector512<byte> isNaN = Vector512.Equals(codes, Vector512.LoadAligned(lanes + 192));
        Vector512<byte> ranks = Vector512.ConditionalSelect(isZero, Vector512.LoadAligned(lanes + 128), codes);
        ranks = Vector512.ConditionalSelect(isNaN, Vector512.LoadAligned(lanes + 256), ranks);
        Vector512<byte> bit = Vector512.Min(codes - Vector512.LoadAligned(lanes + 320), Vector512.Create((byte)CodesPerColumn));
        bit = Avx512BW.Shuffle(Vector512.Create(0x8040201008040201UL, 0UL, 0x8040201008040201UL, 0UL, 0x8040201008040201UL, 0UL, 0x8040201008040201UL, 0UL).AsByte(), bit);
        Vector512<byte> isPart = Vector512.LoadAligned(lanes + 384);
        Vector512.StoreAligned(Vector512.ConditionalSelect(isPart, bit, ranks), table);
        GC.KeepAlive(_lanes);
    }

    private static byte Bit(int code) => (uint)code < CodesPerColumn ? (byte)(1 << code) : (byte)0;

    private byte[] Lanes()
    {
        byte[] lanes = new byte[7 * ColumnsMax];
        if (!_isPacked) return lanes;
        foreach (NumericColumn column in _numeric)
        {
            lanes[column.Column] = (byte)column.Place.Offset;
            lanes[column.Column + 64] = (byte)column.ZeroCode;
            lanes[column.Column + 128] = (byte)column.ZeroRank;
            lanes[column.Column + 192] = (byte)column.NaNCode;
            lanes[column.Column + 256] = (byte)column.NaNRank;
        }

        foreach (CategoricalPart part in _categorical)
        {
            lanes[part.Column] = (byte)part.Place.Offset;
            lanes[part.Column + 320] = (byte)part.FirstCode;
            lanes[part.Column + 384] = byte.MaxValue;
        }

        return lanes;
    }
}
