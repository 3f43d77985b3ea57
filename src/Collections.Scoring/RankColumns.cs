using System.Numerics;

namespace Collections.Scoring;

/// <summary>
/// The columns that codes are spread into before rows are walked. What a node does with a missing value is folded into its column: a
/// feature has one column for each way in which its nodes treat missing values, and in it a missing value has rank 0 where it
/// goes left (0 ≤ every k) and the number of thresholds where it goes right (above every k). Each distinct set of categories
/// is a column, too: 0 in the set, 1 outside. So a node of any kind asks one question, <c>rank ≤ k</c>, without a branch.
/// </summary>
internal sealed class RankColumns(NumericColumn[] numeric, CategoricalColumns[] categorical, int count, int rankMax)
{
    /// <summary>Columns; a group of rows takes Count × lanes ranks.</summary>
    public int Count { get; } = count;

    /// <summary>The largest rank that any value can have.</summary>
    public int RankMax { get; } = rankMax;

    /// <summary>
    /// Spreads up to <paramref name="lanes"/> rows' codes into one group, column-major (a column's lanes stand together).
    /// The lanes of rows that are not there are left alone: any rank at all keeps a walk inside its tree.
    /// </summary>
    /// <typeparam name="TRank">An unsigned integer that holds <see cref="RankMax"/>.</typeparam>
    public unsafe void Spread<TRank>(byte* codes, int rowCount, int codeBytes, TRank* group, int lanes)
        where TRank : unmanaged, IBinaryInteger<TRank>
    {
        foreach (ref readonly NumericColumn column in numeric.AsSpan())
        {
            TRank* target = group + (column.Column * lanes);
            byte* rowCode = codes;
            for (int lane = 0; lane < rowCount; lane++, rowCode += codeBytes) target[lane] = TRank.CreateTruncating(column.RankOf(rowCode));
        }

        foreach (CategoricalColumns columns in categorical)
        {
            TRank* target = group + (columns.FirstColumn * lanes);
            byte* rowCode = codes;
            for (int lane = 0; lane < rowCount; lane++, rowCode += codeBytes)
            {
                ReadOnlySpan<ushort> ranks = columns.RanksOf(rowCode);
                for (int set = 0; set < ranks.Length; set++) target[(set * lanes) + lane] = TRank.CreateTruncating(ranks[set]);
            }
        }
    }
}

/// <summary>One way of treating a numerical feature's missing values.</summary>
/// <param name="Place">Where the feature's code stands.</param>
/// <param name="Column">The column to fill.</param>
/// <param name="ZeroCode">The code that has <paramref name="ZeroRank"/>; every other code but NaN's is the rank itself.</param>
/// <param name="NaNCode">The code that has <paramref name="NaNRank"/>.</param>
internal readonly record struct NumericColumn(CodePlace Place, int Column, int ZeroCode, int ZeroRank, int NaNCode, int NaNRank)
{
    public unsafe int RankOf(byte* rowCode)
    {
        int code = Place.Read(rowCode);
        int isZero = -(code == ZeroCode ? 1 : 0);
        int isNaN = -(code == NaNCode ? 1 : 0);
        int rank = code ^ ((code ^ ZeroRank) & isZero);
        return rank ^ ((rank ^ NaNRank) & isNaN);
    }
}

/// <summary>A feature's sets of categories. A table holds, for each code, every column's rank.</summary>
internal sealed class CategoricalColumns
{
    private readonly ushort[] _table;
    private readonly CodePlace _place;
    private readonly int _setCount;

    /// <param name="place">Where the feature's code stands.</param>
    /// <param name="firstColumn">The column of the first set; the others follow.</param>
    /// <param name="sets">The distinct sets as bits, 32 a word.</param>
    /// <param name="categories">Every category in any set, ascending; category i has code i + 1.</param>
    public CategoricalColumns(CodePlace place, int firstColumn, uint[][] sets, int[] categories)
    {
        _place = place;
        FirstColumn = firstColumn;
        _setCount = sets.Length;

        _table = new ushort[(categories.Length + 1) * sets.Length];
        for (int set = 0; set < sets.Length; set++)
        {
            ushort[] ranks = Ranks(sets[set], categories);
            for (int code = 0; code < ranks.Length; code++) _table[(code * sets.Length) + set] = ranks[code];
        }
    }

    /// <summary>Per code, 0 in the set and 1 outside; code 0 is for values that are in no set at all.</summary>
    public static ushort[] Ranks(ReadOnlySpan<uint> set, int[] categories)
    {
        ushort[] ranks = new ushort[categories.Length + 1];
        ranks[0] = 1;
        for (int i = 0; i < categories.Length; i++)
        {
            int word = categories[i] >> 5;
            bool inSet = word < set.Length && ((set[word] >> (categories[i] & 31)) & 1) != 0;
            ranks[i + 1] = inSet ? (ushort)0 : (ushort)1;
        }

        return ranks;
    }

    public int FirstColumn { get; }

    /// <summary>The rank in each of the feature's columns.</summary>
    /// <remarks>A code beyond the categories can't come from <see cref="RowCoder"/>; it is read as code 0, so that no bytes lead out of the table.</remarks>
    public unsafe ReadOnlySpan<ushort> RanksOf(byte* rowCode)
    {
        int start = _place.Read(rowCode) * _setCount;
        return _table.AsSpan(start < _table.Length ? start : 0, _setCount);
    }
}
