using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Collections.Scoring;

/// <summary>
/// The vector path: one row against all nodes of a tree at once, without walking. The row's columns (up to 64, a byte each)
/// are one vector; a permutation hands each lane the column that its node asks for, one comparison answers 64 questions, and each
/// answer clears leaves from the tree's mask. Leaves are numbered so that every node numbers its smaller side first; it clears
/// that side when the row takes the other one. The leaf that the walk would reach is never cleared; any lower one is, by the
/// node where its way parts from the walk's; so it is the lowest leaf that is left.
/// A lane does a node's work on one byte of the mask. By the numbering a byte is worked on by the nodes between its own leaves, 8 at
/// most, and by log₂ leaves others. Trees in a row share a mask of 32 bytes, a grove, so that few lanes stay idle; lane i serves byte
/// i mod 32, so that the union of a vector's halves is the mask. Eight masks, of eight groves of a row or of one grove for
/// eight rows, are folded and transposed at once. The work is the same for every row, so that nothing is mispredicted; values are
/// added in file order, so the sums have LightGBM's bits.
/// </summary>
internal sealed unsafe class TreeMaskForest
{
    /// <summary>Groves, or rows, whose masks are folded together.</summary>
    public const int Side = 8;

    private const int VectorBytes = 64;
    private const int GroveLeaves = 256;
    private const int TreesPerGroveMax = 16;

    private readonly TreeMaskTables _tables;
    private readonly TreeMaskDraft.Form _form;
    private readonly AlignedArray<byte> _lanes;
    private readonly AlignedArray<double> _values;
    private readonly int _treeCount;
    private readonly int _groveCount;
    private readonly int _groveLaneBytes;
    private readonly int _outputCount;

    private TreeMaskForest(TreeMaskTables tables, TreeMaskDraft draft, LightGbmModel model)
    {
        _tables = tables;
        _form = draft.Shape;
        _lanes = new AlignedArray<byte>(draft.Lanes());
        _values = new AlignedArray<double>(draft.Values());
        _treeCount = model.Trees.Count;
        _groveCount = draft.GroveCount;
        _groveLaneBytes = draft.GroveLaneBytes;
        _outputCount = model.OutputCount;
    }

    /// <summary>True where the machine can permute the bytes of a whole vector.</summary>
    public static bool IsSupported => Avx512Vbmi.IsSupported && Avx512CD.IsSupported && Avx512BW.IsSupported;

    /// <summary>Compiles a model; null where the machine lacks the instructions, or columns or leaves are too many.</summary>
    public static TreeMaskForest? TryCompile(LightGbmModel model, RankColumnsBuilder builder, RowCoder coder)
    {
        if (!IsSupported || model.OutputCount > Limits.TreeMaskOutputsMax) return null;
        TreeMaskTables? tables = TreeMaskTables.TryBuild(builder, coder);
        if (tables is null) return null;
        TreeMaskDraft? draft = TreeMaskDraft.TryDraw(model, builder, tables);
        return draft is null ? null : new TreeMaskForest(tables, draft, model);
    }

    /// <summary>Adds each tree's value to the rows' outputs, trees in file order.</summary>
    public void AddScores(byte* codes, int rowCount, int codeBytes, double* raw)
    {
        switch (_form.LeafBytes)
        {
            case 2:
                AddScores<Leaves16>(codes, rowCount, codeBytes, raw);
                break;
            case 4:
                AddScores<Leaves32>(codes, rowCount, codeBytes, raw);
                break;
            case 8:
                AddScores<Leaves64>(codes, rowCount, codeBytes, raw);
                break;
            case 16:
                AddScores<Leaves128>(codes, rowCount, codeBytes, raw);
                break;
            default:
                AddScores<Leaves256>(codes, rowCount, codeBytes, raw);
                break;
        }

        GC.KeepAlive(this);
    }

    [SkipLocalsInit]
    private void AddScores<TLeaves>(byte* codes, int rowCount, int codeBytes, double* raw)
        where TLeaves : struct, ILeaves
    {
        int blockRows = Math.Min(Limits.TreeMaskBlockRowsMax, (rowCount + Side - 1) / Side * Side);
        byte* room = stackalloc byte[(blockRows + Masks.Words + 1) * VectorBytes];
        byte* tables = (byte*)(((nuint)room + VectorBytes - 1) & ~(nuint)(VectorBytes - 1));
        ulong* words = (ulong*)(tables + (blockRows * VectorBytes));
        while (rowCount > 0)
        {
            int count = Math.Min(blockRows, rowCount);
            int singles = count % Side <= Limits.TreeMaskSingleRowsMax ? count % Side : 0;
            for (int row = 0; row < count; row++) _tables.Fill(codes + ((long)row * codeBytes), tables + (row * VectorBytes));
            if (count > singles) AddRows<TLeaves>(tables, words, count - singles, raw);
            for (int row = count - singles; row < count; row++) AddRow<TLeaves>(tables + (row * VectorBytes), words, raw + ((long)row * _outputCount));
            codes += (long)count * codeBytes;
            raw += (long)count * _outputCount;
            rowCount -= count;
        }
    }

    /// <summary>One row, eight groves at a time.</summary>
    [SkipLocalsInit]
    private void AddRow<TLeaves>(byte* table, ulong* words, double* raw)
        where TLeaves : struct, ILeaves
    {
        double* found = stackalloc double[TreesPerGroveMax * Side];
        int treesPerGrove = GroveLeaves / TLeaves.Count;
        Vector512<byte> columns = Vector512.LoadAligned(table);
        double sum = *raw;
        int output = 0;
        int treesLeft = _treeCount;
        for (int grove = 0; grove < _groveCount; grove += Side)
        {
            FoldGroves(columns, grove, words);
            double* values = _values.Start + ((long)grove * GroveLeaves);
            for (int tree = 0; tree < treesPerGrove; tree++, values += TLeaves.Count)
            {
                Vector256<int> places = Avx512F.ConvertToVector256Int32(TLeaves.Find(words, tree) + (Vector512<long>.Indices * GroveLeaves));
                Gather(values, places.GetLower()).Store(found + (tree * Side));
                Gather(values, places.GetUpper()).Store(found + (tree * Side) + (Side / 2));
            }

            for (double* side = found; side < found + Side && treesLeft > 0; side++)
            {
                int trees = Math.Min(treesLeft, treesPerGrove);
                treesLeft -= trees;
                if (_outputCount == 1)
                {
                    for (int tree = 0; tree < trees; tree++) sum += side[tree * Side];
                    continue;
                }

                for (int tree = 0; tree < trees; tree++)
                {
                    raw[output] += side[tree * Side];
                    if (++output == _outputCount) output = 0;
                }
            }
        }

        if (_outputCount == 1) *raw = sum;
    }

    /// <summary>The masks of one row in up to eight groves, folded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FoldGroves(Vector512<byte> columns, int firstGrove, ulong* words)
    {
        int stride = _groveLaneBytes;
        byte* at = _lanes.Start + ((long)firstGrove * stride);
        int groves = Math.Min(Side, _groveCount - firstGrove);
        if (groves == Side)
        {
            Masks.Fold(
                Cleared(columns, at), Cleared(columns, at + stride), Cleared(columns, at + (stride * 2)), Cleared(columns, at + (stride * 3)),
                Cleared(columns, at + (stride * 4)), Cleared(columns, at + (stride * 5)), Cleared(columns, at + (stride * 6)), Cleared(columns, at + (stride * 7)), words);
            return;
        }

        Vector512<byte> c0 = Cleared(columns, at);
        Vector512<byte> c1 = groves > 1 ? Cleared(columns, at + stride) : default;
        Vector512<byte> c2 = groves > 2 ? Cleared(columns, at + (stride * 2)) : default;
        Vector512<byte> c3 = groves > 3 ? Cleared(columns, at + (stride * 3)) : default;
        Vector512<byte> c4 = groves > 4 ? Cleared(columns, at + (stride * 4)) : default;
        Vector512<byte> c5 = groves > 5 ? Cleared(columns, at + (stride * 5)) : default;
        Vector512<byte> c6 = groves > 6 ? Cleared(columns, at + (stride * 6)) : default;
        Masks.Fold(c0, c1, c2, c3, c4, c5, c6, default, words);
    }

    /// <summary>
    /// Rows by eights, grove by grove: a grove's lanes stay in L1 for all of them. The tables of rows that are not there hold anything;
    /// their sums are dropped.
    /// </summary>
    [SkipLocalsInit]
    private void AddRows<TLeaves>(byte* tables, ulong* words, int rowCount, double* raw)
        where TLeaves : struct, ILeaves
    {
        int sides = (rowCount + Side - 1) / Side;
        int sideSums = Side * _outputCount;
        double* sums = stackalloc double[sides * sideSums];
        for (int i = 0; i < sides * sideSums; i++) sums[i] = 0;
        for (int i = 0; i < rowCount * _outputCount; i++) sums[SumOf(i)] = raw[i];
        byte* at = _lanes.Start;
        double* values = _values.Start;
        int treesPerGrove = GroveLeaves / TLeaves.Count;
        int firstOutput = 0;
        int treesLeft = _treeCount;
        for (int grove = 0; grove < _groveCount; grove++, at += _groveLaneBytes, values += GroveLeaves)
        {
            int trees = Math.Min(treesLeft, treesPerGrove);
            for (int side = 0; side < sides; side++)
            {
                FoldRows(tables + (side * Side * VectorBytes), at, words);
                double* sum = sums + (side * sideSums);
                int output = firstOutput;
                for (int tree = 0; tree < trees; tree++)
                {
                    Vector256<int> places = Avx512F.ConvertToVector256Int32(TLeaves.Find(words, tree));
                    double* treeValues = values + (tree * TLeaves.Count);
                    double* low = sum + (output * Side);
                    double* high = low + (Side / 2);
                    (Vector256.Load(low) + Gather(treeValues, places.GetLower())).Store(low);
                    (Vector256.Load(high) + Gather(treeValues, places.GetUpper())).Store(high);
                    if (++output == _outputCount) output = 0;
                }
            }

            treesLeft -= trees;
            firstOutput = (firstOutput + trees) % _outputCount;
        }

        for (int i = 0; i < rowCount * _outputCount; i++) raw[i] = sums[SumOf(i)];
    }

    /// <summary>Where the sum of a row's output stands: by eights of rows, then by output, then by row.</summary>
    private int SumOf(int score)
    {
        (int row, int output) = Math.DivRem(score, _outputCount);
        return ((((row / Side) * _outputCount) + output) * Side) + (row % Side);
    }

    /// <summary>The masks of eight rows in one grove, folded. The grove's lanes are loaded once for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FoldRows(byte* tables, byte* at, ulong* words)
    {
        Vector512<byte> c0 = default, c1 = default, c2 = default, c3 = default, c4 = default, c5 = default, c6 = default, c7 = default;
        for (int i = 0; i < _form.PlainVectors; i++, at += TreeMaskDraft.PlainBytes)
        {
            PlainLanes lanes = new(at);
            c0 |= lanes.Cleared(Vector512.LoadAligned(tables));
            c1 |= lanes.Cleared(Vector512.LoadAligned(tables + VectorBytes));
            c2 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 2)));
            c3 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 3)));
            c4 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 4)));
            c5 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 5)));
            c6 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 6)));
            c7 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 7)));
        }

        for (int i = 0; i < _form.GeneralVectors; i++, at += TreeMaskDraft.GeneralBytes)
        {
            GeneralLanes lanes = new(at);
            c0 |= lanes.Cleared(Vector512.LoadAligned(tables));
            c1 |= lanes.Cleared(Vector512.LoadAligned(tables + VectorBytes));
            c2 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 2)));
            c3 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 3)));
            c4 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 4)));
            c5 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 5)));
            c6 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 6)));
            c7 |= lanes.Cleared(Vector512.LoadAligned(tables + (VectorBytes * 7)));
        }

        Masks.Fold(c0, c1, c2, c3, c4, c5, c6, c7, words);
    }

    /// <summary>
    /// What one row clears in one grove. The answer that clears is not sorted out beforehand, as it is for eight rows, but turned round.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<byte> Cleared(Vector512<byte> table, byte* at)
    {
        Vector512<byte> cleared = default;
        for (int i = 0; i < _form.PlainVectors; i++, at += TreeMaskDraft.PlainBytes)
        {
            Vector512<byte> columns = Vector512.LoadAligned(at);
            Vector512<byte> above = Vector512.GreaterThan(Avx512Vbmi.PermuteVar64x8(table, columns), Vector512.LoadAligned(at + VectorBytes));
            cleared |= (above ^ Vector512.LessThan(columns.AsSByte(), Vector512<sbyte>.Zero).AsByte()) & Vector512.LoadAligned(at + (VectorBytes * 2));
        }

        for (int i = 0; i < _form.GeneralVectors; i++, at += TreeMaskDraft.GeneralBytes)
        {
            Vector512<byte> columns = Vector512.LoadAligned(at);
            Vector512<byte> bits = Avx512Vbmi.PermuteVar64x8(table, columns) & Vector512.LoadAligned(at + (VectorBytes * 3));
            Vector512<byte> above = Vector512.GreaterThan(bits, Vector512.LoadAligned(at + VectorBytes));
            cleared |= (above ^ Vector512.LessThan(columns.AsSByte(), Vector512<sbyte>.Zero).AsByte()) & Vector512.LoadAligned(at + (VectorBytes * 2));
        }

        return cleared;
    }

    /// <summary>The values of four leaves; as four, because two fours are not put together for nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Gather(double* values, Vector128<int> places) => Avx2.GatherVector256(values, places, sizeof(double));

    /// <summary>64 questions of numerical nodes: is the column's rank above the threshold's?</summary>
    private readonly struct PlainLanes
    {
        private readonly Vector512<byte> _columns;
        private readonly Vector512<byte> _ranks;
        private readonly Vector512<byte> _clearedIfAbove;
        private readonly Vector512<byte> _clearedIfNot;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public PlainLanes(byte* at)
        {
            _columns = Vector512.LoadAligned(at);
            _ranks = Vector512.LoadAligned(at + VectorBytes);
            Vector512<byte> cleared = Vector512.LoadAligned(at + (VectorBytes * 2));
            Vector512<byte> ifNotAbove = Vector512.LessThan(_columns.AsSByte(), Vector512<sbyte>.Zero).AsByte();
            _clearedIfNot = cleared & ifNotAbove;
            _clearedIfAbove = cleared ^ _clearedIfNot;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<byte> Cleared(Vector512<byte> table) => Cleared(table, Vector512<byte>.AllBitsSet);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<byte> Cleared(Vector512<byte> table, Vector512<byte> bits) =>
            Vector512.ConditionalSelect(Vector512.GreaterThan(Avx512Vbmi.PermuteVar64x8(table, _columns) & bits, _ranks), _clearedIfAbove, _clearedIfNot);
    }

    /// <summary>64 questions of any nodes: are the column's masked bits, as a number, above the threshold's rank?</summary>
    private readonly struct GeneralLanes
    {
        private readonly PlainLanes _lanes;
        private readonly Vector512<byte> _bits;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public GeneralLanes(byte* at)
        {
            _lanes = new PlainLanes(at);
            _bits = Vector512.LoadAligned(at + (VectorBytes * 3));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<byte> Cleared(Vector512<byte> table) => _lanes.Cleared(table, _bits);
    }

    /// <summary>How many leaves a tree's part of a grove's mask has.</summary>
    private interface ILeaves
    {
        static abstract int Count { get; }

        /// <summary>The lowest leaf left in a tree of the grove, for each of eight masks.</summary>
        static abstract Vector512<long> Find(ulong* words, int tree);
    }

    /// <summary>What follows a tree's own bits in its word does no harm: the lowest leaf left is within its own.</summary>
    private readonly struct Leaves16 : ILeaves
    {
        public static int Count => 16;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<long> Find(ulong* words, int tree) => Masks.LowestZero(Vector512.LoadAligned(words + (tree / 4 * Side)) >> (tree % 4 * 16));
    }

    private readonly struct Leaves32 : ILeaves
    {
        public static int Count => 32;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<long> Find(ulong* words, int tree) => Masks.LowestZero(Vector512.LoadAligned(words + (tree / 2 * Side)) >> (tree % 2 * 32));
    }

    private readonly struct Leaves64 : ILeaves
    {
        public static int Count => 64;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<long> Find(ulong* words, int tree) => Masks.LowestZero(Vector512.LoadAligned(words + (tree * Side)));
    }

    private readonly struct Leaves128 : ILeaves
    {
        public static int Count => 128;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<long> Find(ulong* words, int tree) => FindInTwo(words + (tree * 2 * Side));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<long> FindInTwo(ulong* words)
        {
            Vector512<ulong> low = Vector512.LoadAligned(words);
            Vector512<long> inHigh = Masks.LowestZero(Vector512.LoadAligned(words + Side)) + Vector512.Create(64L);
            return Vector512.ConditionalSelect(Vector512.Equals(low, Vector512<ulong>.AllBitsSet).AsInt64(), inHigh, Masks.LowestZero(low));
        }
    }

    private readonly struct Leaves256 : ILeaves
    {
        public static int Count => 256;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<long> Find(ulong* words, int tree)
        {
            Vector512<ulong> low = Vector512.LoadAligned(words) & Vector512.LoadAligned(words + Side);
            Vector512<long> inHigh = Leaves128.FindInTwo(words + (2 * Side)) + Vector512.Create(128L);
            return Vector512.ConditionalSelect(Vector512.Equals(low, Vector512<ulong>.AllBitsSet).AsInt64(), inHigh, Leaves128.FindInTwo(words));
        }
    }
}
