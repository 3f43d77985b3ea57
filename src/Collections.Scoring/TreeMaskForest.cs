using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Collections.Scoring;

/// <summary>
/// The vector path for few rows: one row against all nodes of a tree at once, without walking. The row's columns (up to 64, a byte each)
/// are one vector; a permutation hands each lane the column that its node asks for, one comparison answers 64 questions, and each
/// answer clears leaves from the tree's mask: those of the side that the row does not take. Leaves are numbered so that each node
/// numbers its smaller side first, and only that side is ever cleared; then the lowest leaf that is left is the one that the walk would
/// have reached (of two leaves that are left, the lower one can't be the other's excuse: where their ways part, the lower one's
/// side was taken, or it would be cleared), and a leaf is cleared by at most log₂ leaves nodes beyond its byte.
/// A lane's work is a node's on one byte of the mask; lane i serves byte i mod the mask's width, so that folding the
/// vector in halves leaves the mask. Eight masks, of eight trees of a row or of one tree for eight rows, are folded at once.
/// The work is the same for every row, so that nothing is mispredicted; values are added in file order, so the sums have LightGBM's bits.
/// </summary>
internal sealed unsafe class TreeMaskForest
{
    /// <summary>Trees, or rows, whose masks are folded together.</summary>
    public const int Group = 8;

    private const int VectorBytes = 64;

    private readonly TreeMaskTables _tables;
    private readonly TreeMaskDraft.Form _form;
    private readonly AlignedArray<byte> _lanes;
    private readonly AlignedArray<double> _values;
    private readonly int _treeCount;
    private readonly int _treeBytes;
    private readonly int _outputCount;

    private TreeMaskForest(TreeMaskTables tables, TreeMaskDraft draft, int outputCount)
    {
        _tables = tables;
        _form = draft.Shape;
        _lanes = new AlignedArray<byte>(draft.Lanes());
        _values = new AlignedArray<double>(draft.Values());
        _treeCount = draft.TreeCount;
        _treeBytes = draft.TreeBytes;
        _outputCount = outputCount;
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
        return draft is null ? null : new TreeMaskForest(tables, draft, model.OutputCount);
    }

    /// <summary>Adds each tree's value to the rows' outputs, trees in file order.</summary>
    [SkipLocalsInit]
    public void AddScores(byte* codes, int rowCount, int codeBytes, double* raw)
    {
        switch (_form.MaskBytes)
        {
            case 4:
                AddScores<FourBytes>(codes, rowCount, codeBytes, raw);
                break;
            case 8:
                AddScores<EightBytes>(codes, rowCount, codeBytes, raw);
                break;
            default:
                AddScores<SixteenBytes>(codes, rowCount, codeBytes, raw);
                break;
        }

        GC.KeepAlive(this);
    }

    private void AddScores<TMask>(byte* codes, int rowCount, int codeBytes, double* raw)
        where TMask : struct, IMask
    {
        byte* tables = stackalloc byte[(Group + 1) * VectorBytes];
        tables = (byte*)(((nuint)tables + VectorBytes - 1) & ~(nuint)(VectorBytes - 1));
        int row = 0;
        for (; rowCount - row > Limits.TreeMaskSingleRowsMax; row += Group)
        {
            int lanes = Math.Min(Group, rowCount - row);
            for (int lane = 0; lane < lanes; lane++) _tables.Fill(codes + ((long)(row + lane) * codeBytes), tables + (lane * VectorBytes));
            AddRows<TMask>(tables, lanes, raw + ((long)row * _outputCount));
        }

        for (; row < rowCount; row++)
        {
            _tables.Fill(codes + ((long)row * codeBytes), tables);
            AddRow<TMask>(Vector512.LoadAligned(tables), raw + ((long)row * _outputCount));
        }
    }

    /// <summary>One row, eight trees at a time.</summary>
    private void AddRow<TMask>(Vector512<byte> table, double* raw)
        where TMask : struct, IMask
    {
        byte* at = _lanes.Start;
        double* values = _values.Start;
        double* found = stackalloc double[Group];
        int stride = _treeBytes;
        int plain = _form.PlainVectors;
        int general = _form.GeneralVectors;
        int output = 0;
        for (int tree = 0; tree < _treeCount; tree += Group, at += stride * Group, values += TMask.Leaves * Group)
        {
            Vector512<long> leaves = TMask.FirstLeaves(
                Cleared(table, at, plain, general),
                Cleared(table, at + stride, plain, general),
                Cleared(table, at + (stride * 2), plain, general),
                Cleared(table, at + (stride * 3), plain, general),
                Cleared(table, at + (stride * 4), plain, general),
                Cleared(table, at + (stride * 5), plain, general),
                Cleared(table, at + (stride * 6), plain, general),
                Cleared(table, at + (stride * 7), plain, general));
            Gather(values, leaves + (Vector512<long>.Indices * TMask.Leaves)).Store(found);
            int trees = Math.Min(Group, _treeCount - tree);
            for (int i = 0; i < trees; i++)
            {
                raw[output] += found[i];
                if (++output == _outputCount) output = 0;
            }
        }
    }

    /// <summary>Up to eight rows, tree by tree. The tables of rows that are not there hold anything; their sums are dropped.</summary>
    private void AddRows<TMask>(byte* tables, int rowCount, double* raw)
        where TMask : struct, IMask
    {
        double* sums = stackalloc double[Group * _outputCount];
        for (int i = 0; i < _outputCount * Group; i++) sums[i] = i % Group < rowCount ? raw[((i % Group) * _outputCount) + (i / Group)] : 0;
        byte* at = _lanes.Start;
        double* values = _values.Start;
        int output = 0;
        for (int tree = 0; tree < _treeCount; tree++, at += _treeBytes, values += TMask.Leaves)
        {
            Vector512<double> value = Gather(values, Leaves<TMask>(tables, at));
            double* sum = sums + (output * Group);
            (Vector512.Load(sum) + value).Store(sum);
            if (++output == _outputCount) output = 0;
        }

        for (int i = 0; i < rowCount * _outputCount; i++) raw[i] = sums[((i % _outputCount) * Group) + (i / _outputCount)];
    }

    /// <summary>The leaves that eight rows reach in one tree, whose lanes are loaded once for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<long> Leaves<TMask>(byte* tables, byte* at)
        where TMask : struct, IMask
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

        return TMask.FirstLeaves(c0, c1, c2, c3, c4, c5, c6, c7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Cleared(Vector512<byte> table, byte* at, int plain, int general)
    {
        Vector512<byte> cleared = default;
        for (int i = 0; i < plain; i++, at += TreeMaskDraft.PlainBytes) cleared |= new PlainLanes(at).Cleared(table);
        for (int i = 0; i < general; i++, at += TreeMaskDraft.GeneralBytes) cleared |= new GeneralLanes(at).Cleared(table);
        return cleared;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Gather(double* values, Vector512<long> places)
    {
        Vector256<int> places32 = Avx512F.ConvertToVector256Int32(places);
        return Vector512.Create(Avx2.GatherVector256(values, places32.GetLower(), sizeof(double)), Avx2.GatherVector256(values, places32.GetUpper(), sizeof(double)));
    }

    /// <summary>64 questions of numerical nodes: is the column's rank above the threshold's?</summary>
    private readonly struct PlainLanes(byte* at)
    {
        private readonly Vector512<byte> _columns = Vector512.LoadAligned(at);
        private readonly Vector512<byte> _ranks = Vector512.LoadAligned(at + VectorBytes);
        private readonly Vector512<byte> _clearedIfAbove = Vector512.LoadAligned(at + (VectorBytes * 2));
        private readonly Vector512<byte> _clearedIfNot = Vector512.LoadAligned(at + (VectorBytes * 3));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<byte> Cleared(Vector512<byte> table) =>
            Vector512.ConditionalSelect(Vector512.GreaterThan(Avx512Vbmi.PermuteVar64x8(table, _columns), _ranks), _clearedIfAbove, _clearedIfNot);
    }

    /// <summary>64 questions of any nodes: are the column's masked bits, as a number, above the threshold's rank?</summary>
    private readonly struct GeneralLanes(byte* at)
    {
        private readonly Vector512<byte> _columns = Vector512.LoadAligned(at);
        private readonly Vector512<byte> _ranks = Vector512.LoadAligned(at + VectorBytes);
        private readonly Vector512<byte> _clearedIfAbove = Vector512.LoadAligned(at + (VectorBytes * 2));
        private readonly Vector512<byte> _clearedIfNot = Vector512.LoadAligned(at + (VectorBytes * 3));
        private readonly Vector512<byte> _bits = Vector512.LoadAligned(at + (VectorBytes * 4));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<byte> Cleared(Vector512<byte> table) =>
            Vector512.ConditionalSelect(Vector512.GreaterThan(Avx512Vbmi.PermuteVar64x8(table, _columns) & _bits, _ranks), _clearedIfAbove, _clearedIfNot);
    }

    /// <summary>Folds eight vectors of lanes into eight masks of cleared leaves, and finds the lowest leaf that is left in each.</summary>
    private interface IMask
    {
        /// <summary>Bits of a mask.</summary>
        static abstract int Leaves { get; }

        static abstract Vector512<long> FirstLeaves(
            Vector512<byte> c0, Vector512<byte> c1, Vector512<byte> c2, Vector512<byte> c3,
            Vector512<byte> c4, Vector512<byte> c5, Vector512<byte> c6, Vector512<byte> c7);
    }

    private readonly struct FourBytes : IMask
    {
        public static int Leaves => 32;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<long> FirstLeaves(
            Vector512<byte> c0, Vector512<byte> c1, Vector512<byte> c2, Vector512<byte> c3,
            Vector512<byte> c4, Vector512<byte> c5, Vector512<byte> c6, Vector512<byte> c7)
        {
            // The upper half stays dirty: a leaf is left in the lower one.
            Vector512<ulong> masks = Masks.FoldToQuads(c0, c1, c2, c3, c4, c5, c6, c7);
            return Masks.LowestZero(masks | (masks >> 32));
        }
    }

    private readonly struct EightBytes : IMask
    {
        public static int Leaves => 64;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<long> FirstLeaves(
            Vector512<byte> c0, Vector512<byte> c1, Vector512<byte> c2, Vector512<byte> c3,
            Vector512<byte> c4, Vector512<byte> c5, Vector512<byte> c6, Vector512<byte> c7) =>
            Masks.LowestZero(Masks.FoldToQuads(c0, c1, c2, c3, c4, c5, c6, c7));
    }

    private readonly struct SixteenBytes : IMask
    {
        public static int Leaves => 128;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<long> FirstLeaves(
            Vector512<byte> c0, Vector512<byte> c1, Vector512<byte> c2, Vector512<byte> c3,
            Vector512<byte> c4, Vector512<byte> c5, Vector512<byte> c6, Vector512<byte> c7)
        {
            Vector512<ulong> even = Masks.FoldToPairs(c0, c2, c4, c6);
            Vector512<ulong> odd = Masks.FoldToPairs(c1, c3, c5, c7);
            Vector512<ulong> low = Avx512F.UnpackLow(even, odd);
            Vector512<ulong> high = Avx512F.UnpackHigh(even, odd);
            Vector512<long> inHigh = Masks.LowestZero(high) + Vector512.Create(64L);
            return Vector512.ConditionalSelect(Vector512.Equals(low, Vector512<ulong>.AllBitsSet).AsInt64(), inHigh, Masks.LowestZero(low));
        }
    }
}
