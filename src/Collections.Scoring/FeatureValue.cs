using System.Runtime.CompilerServices;

namespace Collections.Scoring;

/// <summary>What LightGBM does to a value before, and at, a split. Both paths use these, so that they can't disagree.</summary>
internal static class FeatureValue
{
    /// <summary>LightGBM's kZeroThreshold, the float 1e-35 widened to double: what lies within it of zero is zero.</summary>
    public const double ZeroThreshold = 1.0000000180025095e-35;

    /// <summary>The code of a value that is in no set of categories.</summary>
    public const int NoCategory = -1;

    /// <summary>Sets what is nearly zero to +0; NaN passes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Clean(double value) => Math.Abs(value) <= ZeroThreshold ? 0.0 : value;

    /// <summary>
    /// Truncates to a category. NaN, what truncates below 0 and what exceeds 32 bits has none; −0.5 truncates to 0 and has one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Category(double value) => value > -1.0 && value < 2147483648.0 ? (int)value : NoCategory;
}
