namespace Collections.Scoring.Reasons;

/// <summary>What one reason adds to a score.</summary>
/// <param name="Code">Of <see cref="Reason.Code"/>; 0 says that there is none.</param>
/// <param name="Contribution">In log-odds for a model of a probability; above 0 it raises the score, below it lowers it.</param>
public readonly record struct ReasonWeight(int Code, double Contribution)
{
    /// <summary>The heaviest first, whichever way it weighs; among equals the lower code.</summary>
    public static int Compare(ReasonWeight a, ReasonWeight b)
    {
        int byWeight = Math.Abs(b.Contribution).CompareTo(Math.Abs(a.Contribution));
        return byWeight != 0 ? byWeight : a.Code.CompareTo(b.Code);
    }
}

/// <summary>The at most four reasons that weigh most in a score, the heaviest first. A value: two with the same reasons are equal.</summary>
public readonly record struct TopReasons
{
    /// <summary>As many as an adverse-action notice names, and as a person can take in.</summary>
    public const int CountMax = 4;

    private readonly ReasonWeight _first;
    private readonly ReasonWeight _second;
    private readonly ReasonWeight _third;
    private readonly ReasonWeight _fourth;

    /// <param name="reasons">At most <see cref="CountMax"/>, in their order; codes above 0.</param>
    /// <exception cref="ArgumentException">There are more, or one has no code.</exception>
    public TopReasons(ReadOnlySpan<ReasonWeight> reasons)
    {
        if (reasons.Length > CountMax) throw new ArgumentException($"{reasons.Length} reasons, and at most {CountMax} are kept.", nameof(reasons));
        foreach (ReasonWeight reason in reasons)
        {
            if (reason.Code is < 1 or > ushort.MaxValue) throw new ArgumentException($"A reason has a code from 1 to {ushort.MaxValue}, but {reason.Code} came.", nameof(reasons));
        }

        if (reasons.Length > 0) _first = reasons[0];
        if (reasons.Length > 1) _second = reasons[1];
        if (reasons.Length > 2) _third = reasons[2];
        if (reasons.Length > 3) _fourth = reasons[3];
    }

    /// <summary>0 where there was nothing to explain.</summary>
    public int Count => _first.Code == 0 ? 0 : _second.Code == 0 ? 1 : _third.Code == 0 ? 2 : _fourth.Code == 0 ? 3 : 4;

    /// <summary>One of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not that many.</exception>
    public ReasonWeight this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return index switch { 0 => _first, 1 => _second, 2 => _third, _ => _fourth };
        }
    }
}
