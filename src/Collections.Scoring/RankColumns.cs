using System.Numerics;

namespace Collections.Scoring;

/// <summary>
/// The columns that rows are turned into before they are walked. A value's rank is the number of the model's own thresholds on
/// its feature that lie below it, so that <c>value ≤ thresholds[k]</c> is exactly <c>rank ≤ k</c>: nothing is lost.
/// What a node does with a missing value is folded into its column: a feature has one column for each way in which its nodes
/// treat missing values, and in it a missing value has rank 0 where it goes left (0 ≤ every k) and the number of thresholds
/// where it goes right (above every k). Each distinct set of categories is a column, too: 0 in the set, 1 outside.
/// So a node of any kind asks one question, <c>rank ≤ k</c>, without a branch.
/// </summary>
internal sealed class RankColumns
{
    private readonly NumericFeature[] _numeric;
    private readonly CategoricalFeature[] _categorical;

    internal RankColumns(NumericFeature[] numeric, CategoricalFeature[] categorical, int count)
    {
        _numeric = numeric;
        _categorical = categorical;
        Count = count;
        RankMax = numeric.Length == 0 ? 1 : Math.Max(1, numeric.Max(static feature => feature.ThresholdCount));
    }

    /// <summary>Columns; a group of rows takes Count × lanes ranks.</summary>
    public int Count { get; }

    /// <summary>The largest rank that any value can have.</summary>
    public int RankMax { get; }

    /// <summary>
    /// Ranks up to <paramref name="lanes"/> rows into one group, column-major (a column's lanes stand together).
    /// The lanes of rows that are not there are left alone: any rank at all keeps a walk inside its tree.
    /// </summary>
    /// <typeparam name="TRank">An unsigned integer that holds <see cref="RankMax"/>.</typeparam>
    public unsafe void Rank<TRank>(double* rows, int rowCount, int featureCount, TRank* group, int lanes)
        where TRank : unmanaged, IBinaryInteger<TRank>
    {
        foreach (NumericFeature feature in _numeric) feature.Rank(rows, rowCount, featureCount, group, lanes);
        foreach (CategoricalFeature feature in _categorical) feature.Rank(rows, rowCount, featureCount, group, lanes);
    }

    /// <summary>One way of treating missing values: which values are missing (bits of <see cref="NumericFeature"/>), and their rank.</summary>
    internal readonly record struct MissingColumn(int Mask, ushort MissingRank, int Column);

    /// <summary>A feature that is split by thresholds.</summary>
    internal sealed class NumericFeature
    {
        public const int NaNBit = 1;
        public const int ZeroBit = 2;

        private readonly int _feature;
        private readonly ThresholdSearch _search;
        private readonly MissingColumn[] _columns;

        /// <param name="feature">The column of the row.</param>
        /// <param name="thresholds">Ascending, distinct, without NaN.</param>
        /// <param name="columns">The columns to fill.</param>
        public NumericFeature(int feature, double[] thresholds, MissingColumn[] columns)
        {
            _feature = feature;
            _columns = columns;
            _search = new ThresholdSearch(thresholds);
            ThresholdCount = thresholds.Length;
        }

        public int ThresholdCount { get; }

        public unsafe void Rank<TRank>(double* rows, int rowCount, int featureCount, TRank* group, int lanes)
            where TRank : unmanaged, IBinaryInteger<TRank>
        {
            fixed (double* separators = _search.Separators)
            fixed (int* levels = _search.LevelStart)
            fixed (MissingColumn* columns = _columns)
            {
                int columnCount = _columns.Length;
                int levelCount = _search.LevelStart.Length;
                for (int lane = 0; lane < rowCount; lane++)
                {
                    // Without branches, for what is missing is as good as random: NaN fails the comparison like what is nearly zero.
                    double given = rows[((long)lane * featureCount) + _feature];
                    long keep = -(Math.Abs(given) > FeatureValue.ZeroThreshold ? 1L : 0L);
                    double value = BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(given) & keep);
                    int missing = (double.IsNaN(given) ? NaNBit : 0) | (int)(~keep & ZeroBit);
                    int rank = ThresholdSearch.CountBelow(separators, levels, levelCount, value);
                    for (int i = 0; i < columnCount; i++)
                    {
                        MissingColumn column = columns[i];
                        int replace = -(missing & column.Mask) >> 31;
                        group[(column.Column * lanes) + lane] = TRank.CreateTruncating(rank ^ ((rank ^ column.MissingRank) & replace));
                    }
                }
            }
        }
    }

    /// <summary>A feature that is split by sets of categories. A table holds, for each category that any set names, every column's rank.</summary>
    internal sealed class CategoricalFeature
    {
        private readonly int _feature;
        private readonly int _firstColumn;
        private readonly int _setCount;
        private readonly int[] _categories;
        private readonly int[] _direct;
        private readonly ushort[] _table;

        /// <param name="feature">The column of the row.</param>
        /// <param name="firstColumn">The column of the first set; the others follow.</param>
        /// <param name="sets">The distinct sets as bits, 32 a word.</param>
        /// <param name="categories">Every category in any set, ascending.</param>
        public CategoricalFeature(int feature, int firstColumn, uint[][] sets, int[] categories)
        {
            _feature = feature;
            _firstColumn = firstColumn;
            _setCount = sets.Length;
            _categories = categories;

            // Row 0 of the table is for values in no set at all; category i has row i + 1.
            _table = new ushort[(categories.Length + 1) * sets.Length];
            Array.Fill(_table, (ushort)1);
            for (int i = 0; i < categories.Length; i++)
            {
                int word = categories[i] >> 5;
                for (int set = 0; set < sets.Length; set++)
                {
                    bool inSet = word < sets[set].Length && ((sets[set][word] >> (categories[i] & 31)) & 1) != 0;
                    _table[((i + 1) * sets.Length) + set] = inSet ? (ushort)0 : (ushort)1;
                }
            }

            int directCount = categories.Length == 0 ? 0 : Math.Min(categories[^1] + 1, Limits.DirectCategoriesMax);
            _direct = new int[directCount];
            for (int i = 0; i < categories.Length && categories[i] < directCount; i++) _direct[categories[i]] = i + 1;
        }

        public unsafe void Rank<TRank>(double* rows, int rowCount, int featureCount, TRank* group, int lanes)
            where TRank : unmanaged, IBinaryInteger<TRank>
        {
            fixed (ushort* table = _table)
            {
                for (int lane = 0; lane < rowCount; lane++)
                {
                    int category = FeatureValue.Category(FeatureValue.Clean(rows[((long)lane * featureCount) + _feature]));
                    ushort* ranks = table + (TableRow(category) * _setCount);
                    TRank* target = group + (_firstColumn * lanes) + lane;
                    for (int set = 0; set < _setCount; set++) target[set * lanes] = TRank.CreateTruncating(ranks[set]);
                }
            }
        }

        private int TableRow(int category)
        {
            if ((uint)category < (uint)_direct.Length) return _direct[category];
            if (category < Limits.DirectCategoriesMax) return 0;
            int found = MemoryExtensions.BinarySearch(_categories, category);
            return found < 0 ? 0 : found + 1;
        }
    }
}
