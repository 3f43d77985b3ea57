using System.Runtime.CompilerServices;

namespace Collections.Scoring;

/// <summary>
/// Turns rows into codes that tell apart exactly what the model can tell apart: two rows with equal codes go the same way at every
/// node. A numerical feature's code is its rank, the number of the model's own thresholds on it that lie below the value, so
/// that <c>value ≤ thresholds[k]</c> is exactly <c>rank ≤ k</c>; zero and NaN have codes of their own where a node treats them as
/// missing. A categorical feature's code is the place of its category among those that the model names, 0 for all others. A code takes
/// one byte where 256 are enough, otherwise two, the low one first; a feature that no node asks for takes none.
/// </summary>
internal sealed unsafe class RowCoder
{
    private readonly NumericCoder[] _oneLevel;
    private readonly NumericCoder[] _twoLevels;
    private readonly NumericCoder[] _threeLevels;
    private readonly NumericCoder[] _manyLevels;
    private readonly CategoricalCoder[] _categorical;
    private readonly int _featureCount;

    public RowCoder(NumericCoder[] numeric, CategoricalCoder[] categorical, int featureCount, int codeBytes)
    {
        _oneLevel = [.. numeric.Where(static feature => feature.Search.LevelCount == 1)];
        _twoLevels = [.. numeric.Where(static feature => feature.Search.LevelCount == 2)];
        _threeLevels = [.. numeric.Where(static feature => feature.Search.LevelCount == 3)];
        _manyLevels = [.. numeric.Where(static feature => feature.Search.LevelCount > 3)];
        _categorical = categorical;
        _featureCount = featureCount;
        CodeBytes = codeBytes;
    }

    /// <summary>Bytes of a row's code.</summary>
    public int CodeBytes { get; }

    /// <summary>Codes rows, row-major; feature by feature, so that a feature's thresholds stay in L1 for all rows.</summary>
    public void Encode(double* rows, int rowCount, byte* codes)
    {
        Encode<ThresholdSearch.OneLevel>(_oneLevel, rows, rowCount, codes);
        Encode<ThresholdSearch.TwoLevels>(_twoLevels, rows, rowCount, codes);
        Encode<ThresholdSearch.ThreeLevels>(_threeLevels, rows, rowCount, codes);
        Encode<ThresholdSearch.ManyLevels>(_manyLevels, rows, rowCount, codes);
        foreach (CategoricalCoder feature in _categorical) feature.Encode(rows, rowCount, _featureCount, codes, CodeBytes);
    }

    private void Encode<TLevels>(NumericCoder[] features, double* rows, int rowCount, byte* codes)
        where TLevels : struct, ThresholdSearch.ILevels
    {
        int featureCount = _featureCount;
        int codeBytes = CodeBytes;
        foreach (NumericCoder feature in features)
        {
            NumericCoder.Values coder = feature.Open();
            double* value = rows + feature.Feature;
            byte* code = codes;
            for (int row = 0; row < rowCount; row++, value += featureCount, code += codeBytes) feature.Place.Write(code, coder.CodeOf<TLevels>(*value));
        }

        GC.KeepAlive(features);
    }
}

/// <summary>Where a feature's code stands in the code of a row.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="IsWide">True when it takes two bytes.</param>
internal readonly record struct CodePlace(int Offset, bool IsWide)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe int Read(byte* rowCode) => IsWide ? rowCode[Offset] | (rowCode[Offset + 1] << 8) : rowCode[Offset];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Write(byte* rowCode, int code)
    {
        rowCode[Offset] = (byte)code;
        if (IsWide) rowCode[Offset + 1] = (byte)(code >> 8);
    }
}

/// <summary>Codes a feature that is split by thresholds.</summary>
/// <param name="Feature">The column of the row.</param>
/// <param name="Place">Where the code goes.</param>
/// <param name="Search">The feature's thresholds.</param>
/// <param name="ZeroCode">The code of what is nearly zero: one of its own, or zero's rank.</param>
/// <param name="NaNCode">The code of NaN: one of its own, or zero's code.</param>
internal sealed record NumericCoder(int Feature, CodePlace Place, ThresholdSearch Search, int ZeroCode, int NaNCode)
{
    /// <summary>All that a loop over values needs; the coder must be kept alive as long.</summary>
    public Values Open() => new(Search.Open(), ZeroCode, NaNCode - ZeroCode);

    internal readonly struct Values(ThresholdSearch.View search, int zeroCode, int nanExtra)
    {
        private readonly ThresholdSearch.View _search = search;
        private readonly int _zeroCode = zeroCode;
        private readonly int _nanExtra = nanExtra;

        /// <summary>Without branches, for what is missing is as good as random: NaN fails the comparison like what is nearly zero.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int CodeOf<TLevels>(double given)
            where TLevels : struct, ThresholdSearch.ILevels
        {
            int keep = -(Math.Abs(given) > FeatureValue.ZeroThreshold ? 1 : 0);
            int special = _zeroCode + (_nanExtra & -(double.IsNaN(given) ? 1 : 0));
            return special ^ ((special ^ _search.CountBelow<TLevels>(given)) & keep);
        }
    }
}

/// <summary>Codes a feature that is split by sets of categories.</summary>
internal sealed class CategoricalCoder
{
    private readonly int _feature;
    private readonly CodePlace _place;
    private readonly int[] _categories;
    private readonly int[] _direct;

    /// <param name="feature">The column of the row.</param>
    /// <param name="place">Where the code goes.</param>
    /// <param name="categories">Every category in any set, ascending; category i has code i + 1.</param>
    public CategoricalCoder(int feature, CodePlace place, int[] categories)
    {
        _feature = feature;
        _place = place;
        _categories = categories;
        int directCount = categories.Length == 0 ? 0 : Math.Min(categories[^1] + 1, Limits.DirectCategoriesMax);
        _direct = new int[directCount];
        for (int i = 0; i < categories.Length && categories[i] < directCount; i++) _direct[categories[i]] = i + 1;
    }

    public unsafe void Encode(double* rows, int rowCount, int featureCount, byte* codes, int codeBytes)
    {
        double* value = rows + _feature;
        for (int row = 0; row < rowCount; row++, value += featureCount, codes += codeBytes)
        {
            _place.Write(codes, CodeOf(FeatureValue.Category(FeatureValue.Clean(*value))));
        }
    }

    private int CodeOf(int category)
    {
        if ((uint)category < (uint)_direct.Length) return _direct[category];
        if (category < Limits.DirectCategoriesMax) return 0;
        int found = MemoryExtensions.BinarySearch(_categories, category);
        return found < 0 ? 0 : found + 1;
    }
}
