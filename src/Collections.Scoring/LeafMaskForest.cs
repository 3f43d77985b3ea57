using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Collections.Scoring;

/// <summary>
/// The vector path for batches of models that have too many columns for <see cref="TreeMaskForest"/>: 64 rows at once, without walking. A tree's leaves are numbered from left to right and are the bits of a
/// mask a row, all set at first. Each node that a row would leave to the right clears the leaves of its left branch; when all
/// nodes have spoken, in any order, the lowest bit left is the leaf that the walk would have reached.
/// The masks stand byte-wise, byte b of all 64 rows in one vector, and a node's work is cut into one step for each byte that
/// its left branch touches (about 1.4 a node), so that a byte's vector stays in a register for all its steps: one compare of 64
/// byte-sized ranks, and one ternary operation. The work is the same for every row, so that nothing is mispredicted.
/// </summary>
internal sealed unsafe class LeafMaskForest
{
    public const int Lanes = 64;

    private readonly RankColumns _columns;
    private readonly Step[] _steps;
    private readonly MaskByte[] _bytes;
    private readonly TreePlace[] _trees;
    private readonly double[] _values;
    private readonly int _outputCount;

    private LeafMaskForest(RankColumns columns, Draft draft, int outputCount)
    {
        _columns = columns;
        _steps = [.. draft.Steps];
        _bytes = [.. draft.Bytes];
        _trees = [.. draft.Trees];
        _values = [.. draft.Values];
        _outputCount = outputCount;
    }

    /// <summary>Compiles a model; null where the machine has no 64-byte vectors, or ranks or leaves would not fit bytes.</summary>
    public static LeafMaskForest? TryCompile(LightGbmModel model, RankColumnsBuilder builder, RankColumns columns)
    {
        bool fits = columns.RankMax <= byte.MaxValue && columns.Count <= Limits.LeafMaskColumnsMax
            && model.Trees.All(static tree => tree.LeafCount <= Limits.LeafMaskLeavesMax);
        if (!Vector512.IsHardwareAccelerated || !fits) return null;
        Draft draft = new();
        foreach (DecisionTree tree in model.Trees) draft.Add(tree, builder);
        return new LeafMaskForest(columns, draft, model.OutputCount);
    }

    /// <summary>Adds each tree's value to the outputs of up to 64 rows, trees in file order.</summary>
    [SkipLocalsInit]
    public void AddScores(byte* codes, int rowCount, int codeBytes, double* raw)
    {
        int rankBytes = Math.Max(1, _columns.Count) * Lanes;
        byte* ranks = stackalloc byte[rankBytes];
        if (rowCount < Lanes) new Span<byte>(ranks, rankBytes).Clear();
        _columns.Spread(codes, rowCount, codeBytes, ranks, Lanes);
        AddBlock(ranks, rowCount, raw);
    }

    [SkipLocalsInit]
    private void AddBlock(byte* ranks, int lanes, double* raw)
    {
        byte* leaves = stackalloc byte[Lanes];
        fixed (Step* steps = _steps)
        fixed (MaskByte* bytes = _bytes)
        fixed (double* values = _values)
        {
            Step* step = steps;
            int output = 0;
            foreach (TreePlace tree in _trees)
            {
                step = FindLeaves(ranks, step, bytes + tree.FirstByte, tree.ByteCount, leaves);
                double* treeValues = values + tree.FirstValue;
                double* score = raw + output;
                for (int lane = 0; lane < lanes; lane++, score += _outputCount) *score += treeValues[leaves[lane]];
                if (++output == _outputCount) output = 0;
            }
        }
    }

    /// <summary>The leaves of 64 rows in one tree. Bytes come last to first, so that the lowest byte with a bit left wins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Step* FindLeaves(byte* ranks, Step* step, MaskByte* bytes, int byteCount, byte* leaves)
    {
        Vector512<byte> firstLeaf = Vector512<byte>.Zero;
        Vector512<byte> lastMask = Vector512<byte>.Zero;
        for (int i = 0; i < byteCount; i++)
        {
            Vector512<byte> mask = Vector512.Create(bytes[i].InitialMask);
            for (Step* end = step + bytes[i].StepCount; step < end; step++)
            {
                Vector512<byte> right = Vector512.GreaterThan(Vector512.Load(ranks + step->ColumnOffset), Vector512.Create(step->Rank4).AsByte());
                mask &= ~(right & Vector512.Create(step->Clear4).AsByte());
            }

            Vector512<byte> empty = Vector512.Equals(mask, Vector512<byte>.Zero);
            firstLeaf = Vector512.ConditionalSelect(empty, firstLeaf, Vector512.Create(bytes[i].FirstLeaf));
            lastMask = Vector512.ConditionalSelect(empty, lastMask, mask);
        }

        Vector512.Store(firstLeaf + LowestBit(lastMask), leaves);
        return step;
    }

    /// <summary>The number of the lowest set bit of each byte, none of which is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> LowestBit(Vector512<byte> mask)
    {
        Vector512<byte> lowest = mask & (Vector512<byte>.Zero - mask);
        return Digit(lowest, 0xAA, 1) | Digit(lowest, 0xCC, 2) | Digit(lowest, 0xF0, 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Digit(Vector512<byte> lowest, byte bits, byte digit) =>
        ~Vector512.Equals(lowest & Vector512.Create(bits), Vector512<byte>.Zero) & Vector512.Create(digit);

    /// <summary>
    /// A node's work on one byte of the masks. Rank and cleared bits are held four times over, because a 4-byte broadcast is a
    /// plain load where a 1-byte one needs a shuffle.
    /// </summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Step(int ColumnOffset, uint Rank4, uint Clear4);

    /// <summary>One byte of a tree's masks: its steps, the leaves that it has, and the number of the first.</summary>
    private readonly record struct MaskByte(int StepCount, byte InitialMask, byte FirstLeaf);

    private readonly record struct TreePlace(int FirstByte, int ByteCount, int FirstValue);

    /// <summary>Gathers the compiled form tree by tree.</summary>
    private sealed class Draft
    {
        public List<Step> Steps { get; } = [];

        public List<MaskByte> Bytes { get; } = [];

        public List<TreePlace> Trees { get; } = [];

        public List<double> Values { get; } = [];

        public void Add(DecisionTree tree, RankColumnsBuilder builder)
        {
            int byteCount = (tree.LeafCount + 7) / 8;
            int firstValue = Values.Count;
            List<Step>[] stepsOf = new List<Step>[byteCount];
            for (int i = 0; i < byteCount; i++) stepsOf[i] = [];
            Number(tree, builder, firstValue, stepsOf);
            Trees.Add(new TreePlace(Bytes.Count, byteCount, firstValue));
            for (int i = byteCount - 1; i >= 0; i--)
            {
                int leaves = Math.Min(8, tree.LeafCount - (i * 8));
                Bytes.Add(new MaskByte(stepsOf[i].Count, (byte)((1 << leaves) - 1), (byte)(i * 8)));
                Steps.AddRange(stepsOf[i]);
            }
        }

        /// <summary>
        /// Numbers the leaves from left to right without recursion (a tree may be as deep as it has leaves): a node is met a
        /// second time when its left branch is done, and the leaves numbered since the first are the ones it clears.
        /// </summary>
        private void Number(DecisionTree tree, RankColumnsBuilder builder, int firstValue, List<Step>[] stepsOf)
        {
            Stack<(int Child, int LeftStart)> pending = new();
            pending.Push((tree.NodeCount == 0 ? ~0 : 0, -1));
            while (pending.TryPop(out (int Child, int LeftStart) at))
            {
                int leavesSoFar = Values.Count - firstValue;
                if (at.Child < 0)
                {
                    Values.Add(tree.LeafValues[~at.Child]);
                }
                else if (at.LeftStart < 0)
                {
                    pending.Push((tree.RightChildren[at.Child], -1));
                    pending.Push((at.Child, leavesSoFar));
                    pending.Push((tree.LeftChildren[at.Child], -1));
                }
                else
                {
                    AddSteps(builder.Question(tree, at.Child), at.LeftStart, leavesSoFar, stepsOf);
                }
            }
        }

        private static void AddSteps((int Column, int Rank) question, int start, int end, List<Step>[] stepsOf)
        {
            const uint FourTimes = 0x01010101;
            for (int i = start / 8; i <= (end - 1) / 8; i++)
            {
                int low = Math.Max(start - (i * 8), 0);
                int high = Math.Min(end - (i * 8), 8);
                uint cleared = (1u << high) - (1u << low);
                stepsOf[i].Add(new Step(question.Column * Lanes, (uint)question.Rank * FourTimes, cleared * FourTimes));
            }
        }
    }
}
