namespace Collections.Scoring;

/// <summary>Lays trees out for <see cref="TreeMaskForest"/>: numbers their leaves, and gives each node's work lanes.</summary>
internal sealed class TreeMaskDraft
{
    /// <summary>Columns, ranks, and the leaves cleared by either answer.</summary>
    public const int PlainBytes = 4 * VectorBytes;

    /// <summary>The same, and the bits of the column that count.</summary>
    public const int GeneralBytes = 5 * VectorBytes;

    private const int VectorBytes = 64;

    private readonly List<LaneWork>[][] _numeric;
    private readonly List<LaneWork>[][] _general;
    private readonly double[] _values;
    private readonly int _maskBytes;

    private TreeMaskDraft(LightGbmModel model, int maskBytes)
    {
        _maskBytes = maskBytes;
        TreeCount = model.Trees.Count;
        _numeric = new List<LaneWork>[TreeCount][];
        _general = new List<LaneWork>[TreeCount][];
        _values = new double[Padded(TreeCount) * maskBytes * 8];
    }

    /// <summary>How the lanes are arranged, the same for all trees of a model.</summary>
    /// <param name="MaskBytes">Bytes of a leaf mask: 4, 8 or 16.</param>
    /// <param name="PlainVectors">Vectors of lanes for numerical nodes.</param>
    /// <param name="GeneralVectors">Vectors of lanes for any nodes, which follow.</param>
    internal readonly record struct Form(int MaskBytes, int PlainVectors, int GeneralVectors);

    /// <summary>Numerical nodes come as "above the rank or not"; categorical ones as "any of these bits or not", which is above 0.</summary>
    private readonly record struct LaneWork(byte Column, byte Rank, byte ClearedIfAbove, byte ClearedIfNot, byte Bits);

    public Form Shape { get; private set; }

    public int TreeCount { get; }

    /// <summary>Bytes of one tree's lanes.</summary>
    public int TreeBytes => (Shape.PlainVectors * PlainBytes) + (Shape.GeneralVectors * GeneralBytes);

    /// <summary>Draws every tree; null when a tree has too many leaves, or too much work for one byte of its mask.</summary>
    public static TreeMaskDraft? TryDraw(LightGbmModel model, RankColumnsBuilder builder, TreeMaskTables tables)
    {
        int leaves = model.Trees.Max(static tree => tree.LeafCount);
        if (leaves > Limits.TreeMaskLeavesMax) return null;
        int maskBytes = leaves <= 32 ? 4 : leaves <= 64 ? 8 : 16;
        if ((long)model.Trees.Count * maskBytes > Limits.TreeMaskBytesMax) return null;
        TreeMaskDraft draft = new(model, maskBytes);
        for (int tree = 0; tree < draft.TreeCount; tree++) draft.Add(tree, model.Trees[tree], builder, tables);
        return draft.TryShape() ? draft : null;
    }

    /// <summary>Leaf values in the order of the masks' bits, a whole mask's places a tree; idle trees at the end fill the last group.</summary>
    public ReadOnlySpan<double> Values() => _values;

    /// <summary>All lanes, tree by tree.</summary>
    public byte[] Lanes()
    {
        byte[] lanes = new byte[checked(Padded(TreeCount) * TreeBytes)];
        int slots = VectorBytes / _maskBytes * (Shape.PlainVectors + Shape.GeneralVectors);
        for (int tree = 0; tree < TreeCount; tree++)
        {
            Span<byte> at = lanes.AsSpan(tree * TreeBytes, TreeBytes);
            for (int i = 0; i < _maskBytes; i++)
            {
                for (int step = 0; step < _numeric[tree][i].Count; step++) Place(at, step, i, _numeric[tree][i][step]);
                for (int step = 0; step < _general[tree][i].Count; step++) Place(at, slots - 1 - step, i, _general[tree][i][step]);
            }
        }

        return lanes;
    }

    private static int Padded(int trees) => (trees + TreeMaskForest.Group - 1) / TreeMaskForest.Group * TreeMaskForest.Group;

    private void Place(Span<byte> tree, int slot, int maskByte, LaneWork work)
    {
        int slotsPerVector = VectorBytes / _maskBytes;
        int vector = slot / slotsPerVector;
        int general = Math.Max(0, vector - Shape.PlainVectors);
        int lane = ((vector - general) * PlainBytes) + (general * GeneralBytes) + (slot % slotsPerVector * _maskBytes) + maskByte;
        tree[lane] = work.Column;
        tree[lane + VectorBytes] = work.Rank;
        tree[lane + (2 * VectorBytes)] = work.ClearedIfAbove;
        tree[lane + (3 * VectorBytes)] = work.ClearedIfNot;
        if (vector >= Shape.PlainVectors) tree[lane + (4 * VectorBytes)] = work.Bits;
    }

    private bool TryShape()
    {
        int slots = VectorBytes / _maskBytes;
        int general = _general.Max(static bytes => bytes.Max(static steps => steps.Count));
        int all = 0;
        for (int tree = 0; tree < TreeCount; tree++)
        {
            for (int i = 0; i < _maskBytes; i++) all = Math.Max(all, _numeric[tree][i].Count + _general[tree][i].Count);
        }

        int generalVectors = (general + slots - 1) / slots;
        int vectors = Math.Max(1, (all + slots - 1) / slots);
        Shape = new Form(_maskBytes, vectors - generalVectors, generalVectors);
        return all <= Limits.TreeMaskStepsPerByteMax;
    }

    private void Add(int index, DecisionTree tree, RankColumnsBuilder builder, TreeMaskTables tables)
    {
        _numeric[index] = NewLists();
        _general[index] = NewLists();
        int[] order = NodesFromTheRoot(tree);
        int[] leaves = LeavesBelow(tree, order);
        Span<double> values = _values.AsSpan(index * _maskBytes * 8, _maskBytes * 8);
        if (order.Length == 0) values[0] = tree.LeafValues[0];
        int[] start = new int[tree.NodeCount];
        foreach (int node in order)
        {
            int left = tree.LeftChildren[node];
            int right = tree.RightChildren[node];
            bool leftFirst = Below(leaves, left) <= Below(leaves, right);
            int middle = start[node] + Below(leaves, leftFirst ? left : right);
            Number(leftFirst ? left : right, start[node], tree, start, values);
            Number(leftFirst ? right : left, middle, tree, start, values);
            AddSteps(index, tree, node, (start[node], middle, leftFirst), builder, tables);
        }
    }

    private List<LaneWork>[] NewLists()
    {
        List<LaneWork>[] lists = new List<LaneWork>[_maskBytes];
        for (int i = 0; i < lists.Length; i++) lists[i] = [];
        return lists;
    }

    private static void Number(int child, int first, DecisionTree tree, int[] start, Span<double> values)
    {
        if (child >= 0) start[child] = first;
        else values[first] = tree.LeafValues[~child];
    }

    /// <summary>All internal nodes, each after its parent.</summary>
    private static int[] NodesFromTheRoot(DecisionTree tree)
    {
        int[] order = new int[tree.NodeCount];
        int known = Math.Min(1, order.Length);
        for (int i = 0; i < known; i++)
        {
            int left = tree.LeftChildren[order[i]];
            int right = tree.RightChildren[order[i]];
            if (left >= 0) order[known++] = left;
            if (right >= 0) order[known++] = right;
        }

        return order;
    }

    private static int[] LeavesBelow(DecisionTree tree, int[] order)
    {
        int[] leaves = new int[order.Length];
        for (int i = order.Length - 1; i >= 0; i--)
        {
            int node = order[i];
            leaves[node] = Below(leaves, tree.LeftChildren[node]) + Below(leaves, tree.RightChildren[node]);
        }

        return leaves;
    }

    private static int Below(int[] leaves, int child) => child < 0 ? 1 : leaves[child];

    /// <summary>A node clears the leaves from start to middle when the row takes the other side: the right one if they are the left one's.</summary>
    private void AddSteps(int index, DecisionTree tree, int node, (int Start, int Middle, bool IsLeft) first, RankColumnsBuilder builder, TreeMaskTables tables)
    {
        for (int i = first.Start / 8; i <= (first.Middle - 1) / 8; i++)
        {
            int low = Math.Max(first.Start - (i * 8), 0);
            int high = Math.Min(first.Middle - (i * 8), 8);
            byte cleared = (byte)((1u << high) - (1u << low));
            if (tree.IsCategorical(node))
            {
                // The leaves are the left side's: they go when the category is outside the set; otherwise when it is inside.
                foreach ((int column, byte inside, byte outside) in tables.CategoryBits(tree, node, builder))
                {
                    byte bits = first.IsLeft ? outside : inside;
                    if (bits != 0) _general[index][i].Add(new LaneWork((byte)column, 0, cleared, 0, bits));
                }
            }
            else
            {
                (int column, int rank) = builder.Question(tree, node);
                _numeric[index][i].Add(new LaneWork((byte)column, (byte)rank, first.IsLeft ? cleared : (byte)0, first.IsLeft ? (byte)0 : cleared, byte.MaxValue));
            }
        }
    }
}
