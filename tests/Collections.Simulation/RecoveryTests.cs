using Collections.Simulation.Fakes;

namespace Collections.Simulation;

/// <summary>
/// The process dies at every step of a run, once in each run, and is put together again from the log and the store. Callers who got no
/// answer ask again. Then everything they are answered, and the end, must be as if nothing had happened.
/// </summary>
public sealed class RecoveryTests
{
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void After_a_crash_at_any_step_everything_goes_on_as_if_there_had_been_none(int seed)
    {
        Plan plan = new(seed) { Rounds = 24 };
        using Run undisturbed = Run.Of(plan);
        string expected = undisturbed.Final();
        for (int step = 0; step < undisturbed.Host.Steps; step++)
        {
            using Run run = Run.Of(plan with { CrashAt = step });
            if (run.Crashes == 0)
                continue;
            string where = $"seed {seed}, {run.Host.CrashedAt}";
            Assert.True(undisturbed.Trace.SequenceEqual(run.Trace), $"{where}: {Differences.Of(undisturbed.Trace, run.Trace)}");
            Assert.True(expected == run.Final(), $"{where}: {Differences.Of(expected.Split('\n'), run.Final().Split('\n'))}");
        }
    }

    [Fact]
    public void A_crash_in_any_life_leaves_no_trace()
    {
        for (int seed = 5_000; seed < 5_000 + RandomRunsTests.Seeds; seed++)
        {
            Plan plan = new(seed) { SliceSeed = seed, Rounds = 40 };
            using Run undisturbed = Run.Of(plan);
            using Run run = Run.Of(plan with { CrashAt = seed * 7_919 % undisturbed.Host.Steps });
            string where = $"seed {seed}, {run.Host.CrashedAt}";
            Assert.True(undisturbed.Trace.SequenceEqual(run.Trace), $"{where}: {Differences.Of(undisturbed.Trace, run.Trace)}");
            Assert.True(undisturbed.Final() == run.Final(), $"{where}: {Differences.Of(undisturbed.Final().Split('\n'), run.Final().Split('\n'))}");
        }
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void A_store_of_another_layout_is_folded_anew_and_callers_keep_their_leases(int seed) => Refold(seed, store =>
    {
        store.ChangeLayout(0);
        store.ChangeLayout(1);
    });

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public void A_damaged_state_is_folded_anew_and_callers_keep_their_leases(int seed) => Refold(seed, store =>
    {
        store.Damage(0);
        store.Damage(1);
    });

    private static void Refold(int seed, Action<MemoryStore> whileDown)
    {
        Plan plan = new(seed) { Rounds = 24 };
        using Run undisturbed = Run.Of(plan);
        for (int step = undisturbed.Host.Steps / 3; step < undisturbed.Host.Steps; step += 17)
        {
            using Run run = Run.Of(plan with { CrashAt = step, WhileDown = whileDown });
            if (run.Crashes == 0)
                continue;
            string where = $"seed {seed}, {run.Host.CrashedAt}";
            Assert.True(undisturbed.Trace.SequenceEqual(run.Trace), $"{where}: {Differences.Of(undisturbed.Trace, run.Trace)}");
            // The trail and the dead letters of the first fold stay in the store, and the second adds its own.
            Assert.True(Debtors(undisturbed).SequenceEqual(Debtors(run)), $"{where}: {Differences.Of(Debtors(undisturbed), Debtors(run))}");
        }
    }

    private static string[] Debtors(Run run) => [.. run.Final().Split('\n').Where(line => !line.StartsWith(' '))];
}
