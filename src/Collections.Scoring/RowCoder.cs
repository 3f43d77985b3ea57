using System.Runtime.CompilerServices;

namespace Collections.Scoring;

/// <summary>
/// Turns rows into codes that tell apart exactly what the model can tell apart: two rows with equal codes go the same way at every
/// node. A numerical feature's code is its rank, the number of the model's own thresholds on it that lie below the value, so
/// that <c>value ≤ thresholds[k]</c> is exactly <c>rank ≤ k</c>; zero and NaN have codes of their own where a node treats them as
/// missing. A categorical feature's code is the place of its category among those that the model names, 0 for all others. A code takes
/// one byte where 256 are enough, otherwise two, the low one first; a feature that no node asks for takes none.
/// </summary>
internal sealed class RowCoder(NumericCoder[] numeric, CategoricalCoder[] categorical, int featureCount, int codeBytes)
{
    /// <summary>Bytes of a row's code.</summary>
    public int CodeBytes { get; } = codeBytes;

    /// <summary>Codes rows, row-major; feature by feature, so that a feature's thresholds stay in L1 for all rows.</summary>
    public unsafe void Encode(double* rows, int rowCount, byte* codes)
    {
        foreach (NumericCoder feature in numeric) feature.Encode(rows, rowCount, featureCount, codes, CodeBytes);
        foreach (CategoricalCoder feature in categorical) feature.Encode(rows, rowCount, featureCount, codes, CodeBytes);
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
    public unsafe void Encode(double* rows, int rowCount, int featureCount, byte* codes, int codeBytes)
    {
        switch (Search.LevelCount)
        {
            case 1:
                Encode<ThresholdSearch.OneLevel>(rows, rowCount, featureCount, codes, codeBytes);
                break;
            case 2:
                Encode<ThresholdSearch.TwoLevels>(rows, rowCount, featureCount, codes, codeBytes);
                break;
            case 3:
                Encode<ThresholdSearch.ThreeLevels>(rows, rowCount, featureCount, codes, codeBytes);
                break;
            default:
                Encode<ThresholdSearch.ManyLevels>(rows, rowCount, featureCount, codes, codeBytes);
                break;
        }
    }

    private unsafe void Encode<TLevels>(double* rows, int rowCount, int featureCount, byte* codes, int codeBytes)
        where TLevels : struct, ThresholdSearch.ILevels
    {
        ThresholdSearch.View search = Search.Open();
        CodePlace place = Place;
        int zeroCode = ZeroCode;
        int nanExtra = NaNCode - zeroCode;
        double* value = rows + Feature;
        for (int row = 0; row < rowCount; row++, value += featureCount, codes += codeBytes)
        {
            // Without branches, for what is missing is as good as random: NaN fails the comparison like what is nearly zero.
            double given = *value;
            int keep = -(Math.Abs(given) > FeatureValue.ZeroThreshold ? 1 : 0);
            int special = zeroCode + (nanExtra & -(double.IsNaN(given) ? 1 : 0));
            place.Write(codes, special ^ ((special ^ search.CountBelow<TLevels>(given)) & keep));
        }

        GC.KeepAlive(Search);
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
