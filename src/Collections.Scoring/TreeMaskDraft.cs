using System.Numerics;

namespace Collections.Scoring;

/// <summary>Lays trees out for <see cref="TreeMaskForest"/>: numbers their leaves, and gives each node's work lanes.</summary>
internal sealed class TreeMaskDraft
{
    /// <summary>Columns, ranks, and the leaves to be cleared; the columns' highest bits say by which answer.</summary>
    public const int PlainBytes = 3 * VectorBytes;

    /// <summary>The same, and the bits of the column that count.</summary>
    public const int GeneralBytes = 4 * VectorBytes;

    /// <summary>In a column: the leaves are cleared if the rank is not above the lane's. A permutation looks at the lower six bits only.</summary>
    private const byte IfNotAbove = 0x80;

    private const int VectorBytes = 64;

    /// <summary>Bytes of a grove's mask; a vector has two lanes for each.</summary>
    private const int GroveBytes = 32;

    private const int SlotsPerVector = VectorBytes / GroveBytes;

    /// <summary>Per byte of all groves' masks, the work on it.</summary>
    private readonly List<LaneWork>[] _numeric;
    private readonly List<LaneWork>[] _general;
    private readonly double[] _values;
    private readonly int _leafBytes;

    private TreeMaskDraft(LightGbmModel model, int leafBytes)
    {
        _leafBytes = leafBytes;
        int treesPerGrove = GroveBytes / leafBytes;
        GroveCount = (model.Trees.Count + treesPerGrove - 1) / treesPerGrove;
        _numeric = NewLists(GroveCount * GroveBytes);
        _general = NewLists(GroveCount * GroveBytes);

        // Idle groves at the end fill the last eight: values are gathered for eight at once.
        _values = new double[(GroveCount + TreeMaskForest.Side - 1) * GroveBytes * 8];
    }

    /// <summary>How the lanes are arranged, the same for all groves of a model.</summary>
    /// <param name="LeafBytes">Bytes of a tree's mask: 2, 4, 8, 16 or 32.</param>
    /// <param name="PlainVectors">Vectors of lanes for numerical nodes.</param>
    /// <param name="GeneralVectors">Vectors of lanes for any nodes, which follow.</param>
    internal readonly record struct Form(int LeafBytes, int PlainVectors, int GeneralVectors);

    /// <summary>Numerical nodes come as "above the rank or not"; categorical ones as "any of these bits or not", which is above 0.</summary>
    private readonly record struct LaneWork(byte Column, byte Rank, byte Cleared, byte Bits);

    public Form Shape { get; private set; }

    /// <summary>Groves: as many trees in a row as fit a mask of 32 bytes.</summary>
    public int GroveCount { get; }

    /// <summary>Bytes of one grove's lanes.</summary>
    public int GroveLaneBytes => (Shape.PlainVectors * PlainBytes) + (Shape.GeneralVectors * GeneralBytes);

    /// <summary>Draws every tree; null when a tree has too many leaves, or too much work for one byte of its mask.</summary>
    public static TreeMaskDraft? TryDraw(LightGbmModel model, RankColumnsBuilder builder, TreeMaskTables tables)
    {
        int leaves = model.Trees.Max(static tree => tree.LeafCount);
        if (leaves > Limits.TreeMaskLeavesMax) return null;
        int leafBytes = Math.Max(2, (int)BitOperations.RoundUpToPowerOf2((uint)leaves) / 8);
        if ((long)model.Trees.Count * leafBytes > Limits.TreeMaskBytesMax) return null;
        TreeMaskDraft draft = new(model, leafBytes);
        for (int tree = 0; tree < model.Trees.Count; tree++) draft.Add(tree, model.Trees[tree], builder, tables);
        return draft.TryShape() ? draft : null;
    }

    /// <summary>Leaf values in the order of the masks' bits, a whole mask's places a tree.</summary>
    public ReadOnlySpan<double> Values() => _values;

    /// <summary>All lanes, grove by grove: numerical work from the first vector on, the other from the last back.</summary>
    public byte[] Lanes()
    {
        byte[] lanes = new byte[checked(GroveCount * GroveLaneBytes)];
        int slots = SlotsPerVector * (Shape.PlainVectors + Shape.GeneralVectors);
        for (int i = 0; i < _numeric.Length; i++)
        {
            Span<byte> grove = lanes.AsSpan(i / GroveBytes * GroveLaneBytes, GroveLaneBytes);
            for (int step = 0; step < _numeric[i].Count; step++) Place(grove, step, i % GroveBytes, _numeric[i][step]);
            for (int step = 0; step < _general[i].Count; step++) Place(grove, slots - 1 - step, i % GroveBytes, _general[i][step]);
        }

        return lanes;
    }

    private void Place(Span<byte> grove, int slot, int maskByte, LaneWork work)
    {
        int vector = slot / SlotsPerVector;
        int general = Math.Max(0, vector - Shape.PlainVectors);
        int lane = ((vector - general) * PlainBytes) + (general * GeneralBytes) + (slot % SlotsPerVector * GroveBytes) + maskByte;
        grove[lane] = work.Column;
        grove[lane + VectorBytes] = work.Rank;
        grove[lane + (2 * VectorBytes)] = work.Cleared;
        if (vector >= Shape.PlainVectors) grove[lane + (3 * VectorBytes)] = work.Bits;
    }

    private bool TryShape()
    {
        int general = _general.Max(static steps => steps.Count);
        int all = Enumerable.Range(0, _numeric.Length).Max(i => _numeric[i].Count + _general[i].Count);
        int generalVectors = (general + SlotsPerVector - 1) / SlotsPerVector;
        int vectors = Math.Max(1, (all + SlotsPerVector - 1) / SlotsPerVector);
        Shape = new Form(_leafBytes, vectors - generalVectors, generalVectors);
        return all <= Limits.TreeMaskStepsPerByteMax;
    }

    private void Add(int index, DecisionTree tree, RankColumnsBuilder builder, TreeMaskTables tables)
    {
        int[] order = NodesFromTheRoot(tree);
        int[] leaves = LeavesBelow(tree, order);
        Span<double> values = _values.AsSpan(index * _leafBytes * 8, _leafBytes * 8);
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

    private static List<LaneWork>[] NewLists(int count)
    {
        List<LaneWork>[] lists = new List<LaneWork>[count];
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
                    if (bits != 0) _general[(index * _leafBytes) + i].Add(new LaneWork((byte)column, 0, cleared, bits));
                }
            }
            else
            {
                (int column, int rank) = builder.Question(tree, node);
                _numeric[(index * _leafBytes) + i].Add(new LaneWork((byte)(first.IsLeft ? column : column | IfNotAbove), (byte)rank, cleared, byte.MaxValue));
            }
        }
    }
}
