namespace Collections.Simulation;

/// <summary>Many short lives of the engine, each from a seed, judged after every step.</summary>
public sealed class RandomRunsTests
{
    /// <summary>Lives of each kind; a night may ask for thousands.</summary>
    public static readonly int Seeds =
        int.TryParse(Environment.GetEnvironmentVariable("COLLECTIONS_SIMULATION_SEEDS"), out int asked) ? asked : 40;

    [Fact]
    public void The_auditor_finds_nothing_when_all_goes_well()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            using Run run = Run.Of(new Plan(seed) { SliceSeed = seed });
            Assert.True(run.Trace.Count > 5, $"seed {seed} has hardly any acts");
        }
    }

    [Fact]
    public void The_auditor_finds_nothing_when_histories_come_late()
    {
        for (int seed = 1_000; seed < 1_000 + Seeds; seed++)
            Run.Of(new Plan(seed) { SliceSeed = seed, AnswersAtOnce = false, Trouble = 0.4 }).Dispose();
    }

    [Fact]
    public void The_auditor_finds_nothing_while_history_is_imported()
    {
        for (int seed = 2_000; seed < 2_000 + Seeds; seed++)
            Run.Of(new Plan(seed) { SliceSeed = seed, Imports = true }).Dispose();
    }

    [Fact]
    public void The_auditor_finds_nothing_after_a_crash_at_any_moment()
    {
        for (int seed = 3_000; seed < 3_000 + Seeds; seed++)
            Run.Of(new Plan(seed) { SliceSeed = seed, CrashAt = seed * 37 % 1_500, AnswersAtOnce = seed % 2 == 0 }).Dispose();
    }

    [Fact]
    public void The_same_plan_gives_the_same_run()
    {
        using Run first = Run.Of(new Plan(7)), second = Run.Of(new Plan(7));
        Assert.Equal(first.Trace, second.Trace);
        Assert.Equal(first.Final(), second.Final());
        Assert.Equal(first.Host.Steps, second.Host.Steps);
    }
}
