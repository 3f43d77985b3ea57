using System.Runtime.InteropServices;

namespace Collections.Scoring;

/// <summary>Collects the thresholds and category sets of a model, numbers the columns, and answers which column and rank a node asks.</summary>
internal sealed class RankColumnsBuilder
{
    /// <summary>Ways of treating missing values: none, NaN left, NaN right, zero left, zero right.</summary>
    private const int MissingWays = 5;

    private readonly SortedDictionary<int, NumericDraft> _numeric = [];
    private readonly SortedDictionary<int, CategoricalDraft> _categorical = [];
    private int _columnCount;

    /// <summary>Collects every node of the model; null when it is beyond what ranks can hold, and must take the plain path.</summary>
    public static RankColumnsBuilder? TryCollect(LightGbmModel model)
    {
        RankColumnsBuilder builder = new();
        foreach (DecisionTree tree in model.Trees)
        {
            if (tree.IsLinear) return null;
            for (int node = 0; node < tree.NodeCount; node++)
            {
                if (tree.IsCategorical(node)) builder.Categorical(tree.SplitFeatures[node]).Add(tree.CategorySet(node));
                else builder.Numeric(tree.SplitFeatures[node]).Add(tree.Thresholds[node], MissingWay(tree, node));
            }
        }

        return builder.TryNumberColumns() ? builder : null;
    }

    /// <summary>The column that the node reads, and the largest rank that goes left.</summary>
    public (int Column, int Rank) Question(DecisionTree tree, int node)
    {
        int feature = tree.SplitFeatures[node];
        if (tree.IsCategorical(node))
        {
            CategoricalDraft sets = _categorical[feature];
            return (sets.FirstColumn + sets.IndexOf(tree.CategorySet(node)), 0);
        }

        NumericDraft draft = _numeric[feature];
        return (draft.ColumnOf[MissingWay(tree, node)], Array.BinarySearch(draft.Thresholds, PositiveZero(tree.Thresholds[node])));
    }

    public RankColumns Build()
    {
        var numeric = _numeric.Select(static pair => new RankColumns.NumericFeature(pair.Key, pair.Value.Thresholds, pair.Value.Columns()));
        var categorical = _categorical.Select(static pair => new RankColumns.CategoricalFeature(pair.Key, pair.Value.FirstColumn, pair.Value.Sets(), pair.Value.Categories()));
        return new RankColumns([.. numeric], [.. categorical], _columnCount);
    }

    private bool TryNumberColumns()
    {
        foreach (NumericDraft draft in _numeric.Values)
        {
            draft.Freeze();
            if (draft.Thresholds.Length > Limits.RankMax) return false;
            for (int way = 0; way < MissingWays; way++)
            {
                if (draft.WaysUsed[way]) draft.ColumnOf[way] = _columnCount++;
            }
        }

        foreach (CategoricalDraft draft in _categorical.Values)
        {
            if ((draft.Categories().Length + 1L) * draft.SetCount > Limits.CategoryTableEntriesMax) return false;
            draft.FirstColumn = _columnCount;
            _columnCount += draft.SetCount;
            if (_columnCount > Limits.RankColumnsMax) return false;
        }

        return _columnCount <= Limits.RankColumnsMax;
    }

    private static int MissingWay(DecisionTree tree, int node) => tree.Missing(node) switch
    {
        MissingKind.NaN => tree.DefaultLeft(node) ? 1 : 2,
        MissingKind.Zero => tree.DefaultLeft(node) ? 3 : 4,
        _ => 0,
    };

    /// <summary>Array.BinarySearch orders −0 and +0 alike, as splits do; one form of zero keeps the thresholds distinct.</summary>
    private static double PositiveZero(double threshold) => threshold == 0 ? 0.0 : threshold;

    private NumericDraft Numeric(int feature) =>
        GetOrAdd(_numeric, feature);

    private CategoricalDraft Categorical(int feature) =>
        GetOrAdd(_categorical, feature);

    private static T GetOrAdd<T>(SortedDictionary<int, T> drafts, int feature)
        where T : new()
    {
        if (!drafts.TryGetValue(feature, out T? draft)) drafts.Add(feature, draft = new T());
        return draft;
    }

    private sealed class NumericDraft
    {
        private readonly HashSet<double> _thresholds = [];

        public double[] Thresholds { get; private set; } = [];

        public bool[] WaysUsed { get; } = new bool[MissingWays];

        public int[] ColumnOf { get; } = new int[MissingWays];

        public void Add(double threshold, int way)
        {
            _thresholds.Add(PositiveZero(threshold));
            WaysUsed[way] = true;
        }

        public void Freeze()
        {
            Thresholds = [.. _thresholds];
            Array.Sort(Thresholds);
        }

        public RankColumns.MissingColumn[] Columns()
        {
            List<RankColumns.MissingColumn> columns = [];
            for (int way = 0; way < MissingWays; way++)
            {
                if (!WaysUsed[way]) continue;
                int mask = way == 0 ? 0 : way <= 2 ? RankColumns.NumericFeature.NaNBit : RankColumns.NumericFeature.ZeroBit;
                ushort missingRank = way is 1 or 3 ? (ushort)0 : (ushort)Thresholds.Length;
                columns.Add(new RankColumns.MissingColumn(mask, missingRank, ColumnOf[way]));
            }

            return [.. columns];
        }
    }

    private sealed class CategoricalDraft
    {
        /// <summary>Sets by their words without trailing zeros, held as characters, for a string is a key that compares by content.</summary>
        private readonly Dictionary<string, int> _indexOf = [];
        private readonly List<uint[]> _sets = [];
        private int[]? _categories;

        public int FirstColumn { get; set; }

        public int SetCount => _sets.Count;

        public void Add(ReadOnlySpan<uint> set)
        {
            ReadOnlySpan<uint> words = set.TrimEnd(0u);
            if (_indexOf.TryAdd(Key(words), _sets.Count)) _sets.Add(words.ToArray());
        }

        public int IndexOf(ReadOnlySpan<uint> set) => _indexOf[Key(set.TrimEnd(0u))];

        public uint[][] Sets() => [.. _sets];

        public int[] Categories()
        {
            if (_categories is not null) return _categories;
            uint[] union = new uint[_sets.Max(static set => set.Length)];
            foreach (uint[] set in _sets)
            {
                for (int i = 0; i < set.Length; i++) union[i] |= set[i];
            }

            List<int> categories = [];
            for (int word = 0; word < union.Length; word++)
            {
                for (int bit = 0; bit < 32; bit++)
                {
                    if (((union[word] >> bit) & 1) != 0) categories.Add((word * 32) + bit);
                }
            }

            return _categories = [.. categories];
        }

        private static string Key(ReadOnlySpan<uint> words) => new(MemoryMarshal.Cast<uint, char>(words));
    }
}
