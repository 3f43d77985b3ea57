using System.Runtime.InteropServices;

namespace Collections.Scoring;

/// <summary>Collects the thresholds and category sets of a model, numbers the columns, and answers which column and rank a node asks.</summary>
internal sealed class RankColumnsBuilder
{
    /// <summary>Ways of treating missing values: none, NaN left, NaN right, zero left, zero right.</summary>
    private const int MissingWays = 5;
    private const int NothingMissing = 0;
    private const int NaNLeft = 1;
    private const int NaNRight = 2;
    private const int ZeroLeft = 3;
    private const int ZeroRight = 4;

    private readonly SortedDictionary<int, NumericDraft> _numeric = [];
    private readonly SortedDictionary<int, CategoricalDraft> _categorical = [];
    private int _columnCount;
    private int _codeBytes;

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

    /// <summary>Per code of the node's categorical feature, 0 in the node's set and 1 outside.</summary>
    public ushort[] RanksOfCodes(DecisionTree tree, int node)
    {
        int[] categories = _categorical[tree.SplitFeatures[node]].Categories();
        return CategoricalColumns.Ranks(tree.CategorySet(node), categories);
    }

    /// <summary>The categorical features: the column of a row, where the code stands, and how many codes there are.</summary>
    public IEnumerable<(int Feature, CodePlace Place, int CodeCount)> CategoricalCodes() =>
        _categorical.Select(static pair => (pair.Key, pair.Value.Place, pair.Value.Categories().Length + 1));

    public RowCoder BuildCoder(int featureCount)
    {
        var numeric = _numeric.Select(static pair => pair.Value.Coder(pair.Key));
        var categorical = _categorical.Select(static pair => new CategoricalCoder(pair.Key, pair.Value.Place, pair.Value.Categories()));
        return new RowCoder([.. numeric], [.. categorical], featureCount, _codeBytes);
    }

    public RankColumns BuildColumns()
    {
        var categorical = _categorical.Values.Select(static draft => new CategoricalColumns(draft.Place, draft.FirstColumn, draft.Sets(), draft.Categories()));
        return new RankColumns(NumericColumns(), [.. categorical], _columnCount, RankMax());
    }

    /// <summary>All columns of numerical features; they are the first ones.</summary>
    public NumericColumn[] NumericColumns() => [.. _numeric.Values.SelectMany(static draft => draft.Columns())];

    /// <summary>The largest rank that any value can have.</summary>
    public int RankMax() => _numeric.Count == 0 ? 1 : Math.Max(1, _numeric.Values.Max(static draft => draft.Thresholds.Length));

    private bool TryNumberColumns()
    {
        foreach (NumericDraft draft in _numeric.Values)
        {
            draft.Freeze();
            if (draft.Thresholds.Length > Limits.RankMax) return false;
            draft.Place = NextPlace(draft.CodeMax);
            for (int way = 0; way < MissingWays; way++)
            {
                if (draft.WaysUsed[way]) draft.ColumnOf[way] = _columnCount++;
            }
        }

        long tableEntries = 0;
        foreach (CategoricalDraft draft in _categorical.Values)
        {
            tableEntries += (draft.Categories().Length + 1L) * draft.SetCount;
            if (tableEntries > Limits.CategoryTableEntriesMax || draft.Categories().Length > ushort.MaxValue) return false;
            draft.Place = NextPlace(draft.Categories().Length);
            draft.FirstColumn = _columnCount;
            _columnCount += draft.SetCount;
            if (_columnCount > Limits.RankColumnsMax) return false;
        }

        return _columnCount <= Limits.RankColumnsMax;
    }

    private CodePlace NextPlace(int codeMax)
    {
        CodePlace place = new(_codeBytes, codeMax > byte.MaxValue);
        _codeBytes += place.IsWide ? 2 : 1;
        return place;
    }

    private static int MissingWay(DecisionTree tree, int node) => tree.Missing(node) switch
    {
        MissingKind.NaN => tree.DefaultLeft(node) ? NaNLeft : NaNRight,
        MissingKind.Zero => tree.DefaultLeft(node) ? ZeroLeft : ZeroRight,
        _ => NothingMissing,
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

        public CodePlace Place { get; set; }

        public ThresholdSearch Search { get; private set; } = new([]);

        /// <summary>Zero has its own code where a node takes it for missing.</summary>
        private int ZeroCode => WaysUsed[ZeroLeft] || WaysUsed[ZeroRight] ? Thresholds.Length + 1 : ZeroRank;

        /// <summary>So has NaN; where no node does that, NaN is zero.</summary>
        private int NaNCode => WaysUsed[NaNLeft] || WaysUsed[NaNRight] ? Math.Max(ZeroCode, Thresholds.Length) + 1 : ZeroCode;

        public int CodeMax => Math.Max(Thresholds.Length, Math.Max(ZeroCode, NaNCode));

        private int ZeroRank => Thresholds.Count(static threshold => threshold < 0);

        public void Freeze()
        {
            Thresholds = [.. _thresholds];
            Array.Sort(Thresholds);
            Search = new ThresholdSearch(Thresholds);
        }

        public NumericCoder Coder(int feature) => new(feature, Place, Search, ZeroCode, NaNCode);

        public IEnumerable<NumericColumn> Columns()
        {
            for (int way = 0; way < MissingWays; way++)
            {
                if (!WaysUsed[way]) continue;
                int missingRank = way is NaNLeft or ZeroLeft ? 0 : Thresholds.Length;
                int zeroRank = way is ZeroLeft or ZeroRight ? missingRank : ZeroRank;
                int nanRank = way == NothingMissing ? ZeroRank : missingRank;
                yield return new NumericColumn(Place, ColumnOf[way], ZeroCode, zeroRank, NaNCode, nanRank);
            }
        }
    }

    private sealed class CategoricalDraft
    {
        /// <summary>Sets by their words without trailing zeros, held as characters, for a string is a key that compares by content.</summary>
        private readonly Dictionary<string, int> _indexOf = [];
        private readonly List<uint[]> _sets = [];
        private int[]? _categories;

        public CodePlace Place { get; set; }

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
