using Collections.Domain.Debtors;

namespace Collections.Simulation;

/// <summary>Every touch of a debtor is evaluated as of its own moment, so how the log is cut into slices must change nothing.</summary>
public sealed class SlicingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(2_048)]
    public void Slices_of_any_size_give_the_same_trace_and_the_same_end(int sliceMax)
    {
        for (int seed = 100; seed < 112; seed++)
            Compare(new Plan(seed), sliceMax, withTimes: false);
    }

    /// <summary>
    /// Even the moments are the same, where nothing has to come back from outside: parked debtors wait for their history, and that a lease has
    /// expired comes back through the log, behind what the slice has read.
    /// </summary>
    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(2_048)]
    public void Slices_of_any_size_give_the_same_moments(int sliceMax)
    {
        for (int seed = 200; seed < 215; seed++)
            Compare(new Plan(seed) { Trouble = 0, LeaseMsMax = 1L << 42, Options = DebtorOptions.Default }, sliceMax, withTimes: true);
    }

    private static void Compare(Plan plan, int sliceMax, bool withTimes)
    {
        using Run expected = Run.Of(plan with { SliceMax = 1 });
        using Run actual = Run.Of(plan with { SliceMax = sliceMax, SliceSeed = plan.Seed });
        Assert.True(expected.Trace.SequenceEqual(actual.Trace), $"seed {plan.Seed}: {Differences.Of(expected.Trace, actual.Trace)}");
        string[] before = expected.Final(withTimes).Split('\n'), after = actual.Final(withTimes).Split('\n');
        Assert.True(before.SequenceEqual(after), $"seed {plan.Seed}: {Differences.Of(before, after)}");
    }
}

/// <summary>The first line in which two traces differ.</summary>
internal static class Differences
{
    public static string Of(IReadOnlyList<string> expected, IReadOnlyList<string> actual)
    {
        for (int i = 0; i < Math.Max(expected.Count, actual.Count); i++)
        {
            string a = i < expected.Count ? expected[i] : "(nothing)", b = i < actual.Count ? actual[i] : "(nothing)";
            if (a != b)
                return $"line {i}: expected\n{a}\nbut got\n{b}";
        }
        return "none";
    }
}
