using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Collections.Domain;

/// <summary>What must hold whatever comes in. It stays on in Release: a broken invariant stops the partition instead of skipping the event.</summary>
public static class Invariant
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Require([DoesNotReturnIf(false)] bool holds, string claim)
    {
        if (!holds)
            throw new InvariantBrokenException(claim);
    }
}

/// <summary>A claim of <see cref="Invariant.Require"/> did not hold: the state can't be trusted, the partition must stop.</summary>
public sealed class InvariantBrokenException : Exception
{
    public InvariantBrokenException()
    {
    }

    public InvariantBrokenException(string claim)
        : base($"broken invariant: {claim}")
    {
    }

    public InvariantBrokenException(string claim, Exception inner)
        : base($"broken invariant: {claim}", inner)
    {
    }
}
