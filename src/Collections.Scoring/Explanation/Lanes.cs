using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Collections.Scoring.Explanation;

/// <summary>
/// Doubles of several rows side by side, as wide as the machine has them. The walk is written once over this; the compiler makes one body for
/// each width.
/// </summary>
internal unsafe interface ILanes<T>
    where T : struct, ILanes<T>
{
    /// <summary>Rows side by side.</summary>
    static abstract int Count { get; }

    static abstract T Zero { get; }

    static abstract T Load(double* from);

    static abstract T Broadcast(double value);

    static abstract T Add(T a, T b);

    static abstract T Subtract(T a, T b);

    static abstract T Multiply(T a, T b);

    /// <summary>a × b + c, rounded once where the machine can.</summary>
    static abstract T MultiplyAdd(T a, T b, T c);

    /// <summary>c − a × b.</summary>
    static abstract T MultiplySubtractFrom(T a, T b, T c);

    /// <summary>1 where a ≤ b, otherwise 0.</summary>
    static abstract T AtMost(T a, T b);

    void Store(double* to);
}

/// <summary>Eight rows: one register where vectors have 64 bytes.</summary>
internal readonly unsafe struct EightLanes(Vector512<double> value) : ILanes<EightLanes>
{
    private readonly Vector512<double> _value = value;

    public static int Count => Vector512<double>.Count;

    public static EightLanes Zero => new(Vector512<double>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes Load(double* from) => new(Vector512.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes Broadcast(double value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes Add(EightLanes a, EightLanes b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes Subtract(EightLanes a, EightLanes b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes Multiply(EightLanes a, EightLanes b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes MultiplyAdd(EightLanes a, EightLanes b, EightLanes c) => new(Vector512.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes MultiplySubtractFrom(EightLanes a, EightLanes b, EightLanes c) => new(Vector512.MultiplyAddEstimate(-a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightLanes AtMost(EightLanes a, EightLanes b) =>
        new(Vector512.ConditionalSelect(Vector512.LessThanOrEqual(a._value, b._value), Vector512<double>.One, Vector512<double>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(double* to) => Vector512.Store(_value, to);
}

/// <summary>Four rows: one register of 32 bytes, or what the runtime makes of it elsewhere.</summary>
internal readonly unsafe struct FourLanes(Vector256<double> value) : ILanes<FourLanes>
{
    private readonly Vector256<double> _value = value;

    public static int Count => Vector256<double>.Count;

    public static FourLanes Zero => new(Vector256<double>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes Load(double* from) => new(Vector256.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes Broadcast(double value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes Add(FourLanes a, FourLanes b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes Subtract(FourLanes a, FourLanes b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes Multiply(FourLanes a, FourLanes b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes MultiplyAdd(FourLanes a, FourLanes b, FourLanes c) => new(Vector256.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes MultiplySubtractFrom(FourLanes a, FourLanes b, FourLanes c) => new(Vector256.MultiplyAddEstimate(-a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourLanes AtMost(FourLanes a, FourLanes b) =>
        new(Vector256.ConditionalSelect(Vector256.LessThanOrEqual(a._value, b._value), Vector256<double>.One, Vector256<double>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(double* to) => Vector256.Store(_value, to);
}
