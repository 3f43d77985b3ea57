using System.Runtime.CompilerServices;

namespace Collections.Scoring;

/// <summary>
/// The fast path. Rows are turned into ranks (<see cref="RankColumns"/>) in groups of eight; then each tree is walked by the
/// eight rows of a group side by side, because a walk waits for memory at every step and eight independent ones hide it.
/// A node is 8 bytes: bits 0–31 its left child (the right one follows it), 32–47 its column × 8 lanes, 48–63 the largest rank
/// that goes left. A leaf points at itself and has rank 65,535, which nothing exceeds: a row that arrives stays, so the walk
/// needs no branch until all eight have arrived. Trees outermost, so that a tree stays in L1 for the whole block of rows.
/// </summary>
internal sealed unsafe class RankedForest
{
    private const int Lanes = Limits.LanesPerGroup;
    private const int ColumnShift = 32;
    private const int RankShift = 48;
    private const ulong LeafMark = 0xFFFFul << RankShift;

    /// <summary>
    /// Rows that remain after whole groups are walked one by one, eight trees at a time, up to this many; more are walked as a
    /// group with idle lanes. A group costs as much as its eight rows whatever is in it.
    /// </summary>
    private const int SingleRowsMax = 4;

    private readonly RankColumns _columns;
    private readonly ulong[] _nodes;
    private readonly double[] _values;
    private readonly uint[] _roots;
    private readonly int _outputCount;
    private readonly int _groupsPerBlock;

    private RankedForest(RankColumns columns, ulong[] nodes, double[] values, uint[] roots, int outputCount)
    {
        _columns = columns;
        _nodes = nodes;
        _values = values;
        _roots = roots;
        _outputCount = outputCount;
        int groupBytes = Math.Max(1, columns.Count) * Lanes * sizeof(ushort);
        _groupsPerBlock = Math.Clamp(Limits.RankBlockBytesMax / groupBytes, 1, Limits.GroupsPerBlockMax);
    }

    /// <summary>Compiles a model whose columns have been numbered.</summary>
    public static RankedForest Compile(LightGbmModel model, RankColumnsBuilder builder, RankColumns columns)
    {
        int nodeCount = model.Trees.Sum(static tree => tree.NodeCount + tree.LeafCount);
        ulong[] nodes = new ulong[nodeCount];
        double[] values = new double[nodeCount];
        uint[] roots = new uint[model.Trees.Count];
        uint next = 0;
        for (int i = 0; i < roots.Length; i++)
        {
            roots[i] = next;
            next = LayOut(model.Trees[i], builder, nodes, values, next);
        }

        return new RankedForest(columns, nodes, values, roots, model.OutputCount);
    }

    /// <summary>Lays a tree out breadth first, the two children of a node side by side; returns the place after it.</summary>
    private static uint LayOut(DecisionTree tree, RankColumnsBuilder builder, ulong[] nodes, double[] values, uint root)
    {
        Queue<(int Child, uint Place)> pending = new();
        pending.Enqueue((tree.NodeCount == 0 ? ~0 : 0, root));
        uint next = root + 1;
        while (pending.TryDequeue(out (int Child, uint Place) at))
        {
            if (at.Child < 0)
            {
                nodes[at.Place] = LeafMark | at.Place;
                values[at.Place] = tree.LeafValues[~at.Child];
                continue;
            }

            (int column, int rank) = builder.Question(tree, at.Child);
            nodes[at.Place] = ((ulong)rank << RankShift) | ((ulong)(column * Lanes) << ColumnShift) | next;
            pending.Enqueue((tree.LeftChildren[at.Child], next));
            pending.Enqueue((tree.RightChildren[at.Child], next + 1));
            next += 2;
        }

        return next;
    }

    /// <summary>Adds each tree's value to the rows' outputs, trees in file order.</summary>
    [SkipLocalsInit]
    public void AddScores(byte* codes, int rowCount, int codeBytes, double* raw)
    {
        int groupRanks = _columns.Count * Lanes;
        ushort* ranks = stackalloc ushort[Math.Max(1, groupRanks * Math.Min(_groupsPerBlock, (rowCount + Lanes - 1) / Lanes))];
        for (int first = 0; first < rowCount; first += _groupsPerBlock * Lanes)
        {
            int blockRows = Math.Min(_groupsPerBlock * Lanes, rowCount - first);
            AddBlock(codes + ((long)first * codeBytes), blockRows, codeBytes, ranks, raw + ((long)first * _outputCount));
        }
    }

    private void AddBlock(byte* codes, int rowCount, int codeBytes, ushort* ranks, double* raw)
    {
        int groupRanks = _columns.Count * Lanes;
        for (int first = 0; first < rowCount; first += Lanes)
        {
            int lanes = Math.Min(Lanes, rowCount - first);
            ushort* group = ranks + ((long)(first / Lanes) * groupRanks);
            if (lanes < Lanes && lanes > SingleRowsMax) new Span<ushort>(group, groupRanks).Clear();
            _columns.Spread(codes + ((long)first * codeBytes), lanes, codeBytes, group, Lanes);
        }

        int remainder = rowCount % Lanes;
        int groups = (rowCount / Lanes) + (remainder > SingleRowsMax ? 1 : 0);
        if (groups > 0) WalkGroups(ranks, groups, rowCount, raw);
        if (remainder > SingleRowsMax) return;
        ushort* lastGroup = ranks + ((long)groups * groupRanks);
        for (int lane = 0; lane < remainder; lane++)
        {
            WalkRow(lastGroup + lane, raw + (((long)groups * Lanes) + lane) * _outputCount);
        }
    }

    private void WalkGroups(ushort* ranks, int groups, int rowCount, double* raw)
    {
        int groupRanks = _columns.Count * Lanes;
        uint* found = stackalloc uint[Lanes];
        fixed (ulong* nodes = _nodes)
        fixed (double* values = _values)
        {
            int output = 0;
            foreach (uint root in _roots)
            {
                double* scores = raw + output;
                ushort* group = ranks;
                for (int g = 0; g < groups; g++, group += groupRanks)
                {
                    WalkGroup(nodes, root, group, found);
                    int lanes = Math.Min(Lanes, rowCount - (g * Lanes));
                    for (int lane = 0; lane < lanes; lane++, scores += _outputCount) *scores += values[found[lane]];
                }

                if (++output == _outputCount) output = 0;
            }
        }
    }

    /// <summary>Eight rows down one tree.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WalkGroup(ulong* nodes, uint root, ushort* group, uint* found)
    {
        uint i0 = root, i1 = root, i2 = root, i3 = root, i4 = root, i5 = root, i6 = root, i7 = root;
        while (true)
        {
            ulong n0 = nodes[i0], n1 = nodes[i1], n2 = nodes[i2], n3 = nodes[i3];
            ulong n4 = nodes[i4], n5 = nodes[i5], n6 = nodes[i6], n7 = nodes[i7];
            if ((n0 & n1 & n2 & n3 & n4 & n5 & n6 & n7) >= LeafMark) break;
            i0 = Step(n0, group);
            i1 = Step(n1, group + 1);
            i2 = Step(n2, group + 2);
            i3 = Step(n3, group + 3);
            i4 = Step(n4, group + 4);
            i5 = Step(n5, group + 5);
            i6 = Step(n6, group + 6);
            i7 = Step(n7, group + 7);
        }

        found[0] = i0;
        found[1] = i1;
        found[2] = i2;
        found[3] = i3;
        found[4] = i4;
        found[5] = i5;
        found[6] = i6;
        found[7] = i7;
    }

    /// <summary>One row down all trees, eight trees side by side; their values are added in the trees' order afterwards.</summary>
    private void WalkRow(ushort* lane, double* raw)
    {
        uint* found = stackalloc uint[Lanes];
        fixed (ulong* nodes = _nodes)
        fixed (double* values = _values)
        fixed (uint* roots = _roots)
        {
            int output = 0;
            for (int first = 0; first < _roots.Length; first += Lanes)
            {
                int trees = Math.Min(Lanes, _roots.Length - first);
                for (int i = 0; i < Lanes; i++) found[i] = roots[first + Math.Min(i, trees - 1)];
                WalkTrees(nodes, lane, found);
                for (int i = 0; i < trees; i++)
                {
                    raw[output] += values[found[i]];
                    if (++output == _outputCount) output = 0;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WalkTrees(ulong* nodes, ushort* lane, uint* at)
    {
        uint i0 = at[0], i1 = at[1], i2 = at[2], i3 = at[3], i4 = at[4], i5 = at[5], i6 = at[6], i7 = at[7];
        while (true)
        {
            ulong n0 = nodes[i0], n1 = nodes[i1], n2 = nodes[i2], n3 = nodes[i3];
            ulong n4 = nodes[i4], n5 = nodes[i5], n6 = nodes[i6], n7 = nodes[i7];
            if ((n0 & n1 & n2 & n3 & n4 & n5 & n6 & n7) >= LeafMark) break;
            i0 = Step(n0, lane);
            i1 = Step(n1, lane);
            i2 = Step(n2, lane);
            i3 = Step(n3, lane);
            i4 = Step(n4, lane);
            i5 = Step(n5, lane);
            i6 = Step(n6, lane);
            i7 = Step(n7, lane);
        }

        at[0] = i0;
        at[1] = i1;
        at[2] = i2;
        at[3] = i3;
        at[4] = i4;
        at[5] = i5;
        at[6] = i6;
        at[7] = i7;
    }

    /// <summary>The sign of (k − rank) is the step to the right child: 1 when the rank exceeds k, otherwise 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Step(ulong node, ushort* lane) =>
        (uint)node + ((uint)((int)(node >> RankShift) - lane[(ushort)(node >> ColumnShift)]) >> 31);
}
