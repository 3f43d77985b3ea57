using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Strategy;

namespace Collections.Engine.Tests.Partitions;

/// <summary>What a partition makes of its records and of time.</summary>
public sealed class PartitionTests
{
    [Fact]
    public void The_day_roll_looks_at_everybody()
    {
        using Scene scene = new Scene().OwesFrom("a", Scene.Today).OwesFrom("b", Scene.Today.Plus(1)).Run();
        Assert.Empty(scene.Heads());
        scene.NowMs = Scene.Today.EndMs;
        Assert.Equal(["a"], scene.Run().Heads());
        scene.NowMs = Scene.Today.Plus(1).EndMs;
        Assert.Equal(["a", "b"], scene.Run().Heads());
    }

    [Fact]
    public void The_day_roll_reaches_a_debtor_that_an_event_of_the_same_slice_has_touched()
    {
        using Scene scene = new Scene().OwesFrom("a", Scene.Today).Run();
        scene.Pays("a", 1);
        scene.NowMs = Scene.Today.EndMs;
        Assert.Equal(["a"], scene.Run().Heads());
    }

    [Fact]
    public void Imported_history_is_quiet_until_its_end()
    {
        using Scene scene = new();
        scene.Tell(new EventWriter().ItemIssued(scene.At("a", "i", Scene.Today.Plus(-400)), "item"u8, Component.Principal, 500, Currency.Parse("EUR"), Scene.Today.Plus(-300)), isHistory: true);
        scene.Run().After(Day.MsPerDay);
        Assert.True(scene.Partition.Quiet);
        Assert.True(scene.Debtor("a").IsQuiet);
        Assert.Empty(scene.Heads());
        scene.EndsImport().Run();
        Assert.False(scene.Partition.Quiet);
        Assert.Equal(["a"], scene.Heads());
    }

    [Fact]
    public void A_debtor_leaves_the_queue_while_its_history_is_imported()
    {
        using Scene scene = new Scene().Owes("a").Run();
        Assert.Equal(["a"], scene.Heads());
        scene.Pays("a", isHistory: true, on: Scene.Today.Plus(-5)).Run();
        Assert.Empty(scene.Heads());
        Assert.Empty(scene.EndsImport().Run().Heads());
        Assert.Equal(Eligibility.NothingOverdue, scene.Debtor("a").Eligibility);
    }

    [Fact]
    public void More_names_than_a_partition_can_have_are_dead_letters_and_the_rest_goes_on()
    {
        using Scene scene = new Scene().Owes("a").Run();
        for (int i = 0; i < 66_000; i++)
            scene.Prefers($"d{i % 1_000}", $"Zone/{i}");
        scene.Owes("b").Run().AnswerHistories();
        List<string> letters = scene.DeadLetters();
        Assert.Equal(66_000 - (Domain.Limits.NamesMax - 2), letters.Count);
        Assert.Equal("time_zone: is one more than the 65,534 tenants, portfolios, time zones and languages that a partition can have, but is 'Zone/65999'", letters[^1]);
        Assert.Equal(["a", "b"], scene.Heads().Order());
    }

    [Fact]
    public void The_same_id_with_other_content_is_a_dead_letter_with_its_reason()
    {
        using Scene scene = new Scene().Owes("a").Pays("a", 100, "p").Run();
        scene.Pays("a", 200, "p").Run().AnswerHistories();
        Assert.Equal("id: an earlier event of this stream has the same id and other content; give each event its own id", Assert.Single(scene.DeadLetters()));
        Assert.Equal(9_900, scene.Debtor("a").Facts.OverdueMinor);
        Assert.Equal((2L, 0L, 1L, 1L), Counts(scene));
    }

    [Fact]
    public void The_same_event_again_is_a_duplicate_also_when_only_the_history_knows()
    {
        using Scene scene = new(options: new DebtorOptions { FingerprintDays = 1, HorizonDays = 1, HorizonSlackDays = 0 });
        scene.Owes("a", id: "one").Pays("a", 100, "p").Run().After(5 * Day.MsPerDay);
        scene.Pays("a", 1, "later").Run().After(5 * Day.MsPerDay);
        scene.Pays("a", 100, "p", on: Scene.Today).Run();
        Assert.True(scene.Debtor("a").IsParked);
        scene.AnswerHistories();
        Assert.Equal(9_899, scene.Debtor("a").Facts.OverdueMinor);
        Assert.Equal((3L, 1L, 0L, 1L), Counts(scene));
    }

    [Fact]
    public void A_record_on_the_wrong_partition_is_sent_on_and_not_applied()
    {
        using Scene scene = new(partitionCount: 5);
        string elsewhere = Enumerable.Range(0, 100).Select(i => $"d{i}").First(name => scene.PartitionOf(name) == 3);
        scene.Owes(elsewhere).Run();
        Assert.Equal(1, scene.Partition.Counters.Misplaced);
        Assert.Null(scene.Partition.View.Debtor("bank"u8, Scene.Utf8(elsewhere)));
        Assert.Equal(1, scene.Misplaced!.Count);
        Assert.Equal(3, scene.Misplaced.PartitionOf(0));
    }

    public static TheoryData<string, byte[]> Poison => new()
    {
        { "nothing", [] },
        { "noise", [255, 255, 255, 255, 255] },
        { "a message of zeros", new byte[300] },
        { "no debtor", new EventWriter().ItemCancelled(new EventAddress { Tenant = "bank"u8, Debtor = default, Id = "x"u8 }, "i"u8).ToArray() },
        { "no id", new EventWriter().ItemCancelled(new EventAddress { Tenant = "bank"u8, Debtor = "a"u8, Id = default }, "i"u8).ToArray() },
        { "no item", new EventWriter().ItemCancelled(new EventAddress { Tenant = "bank"u8, Debtor = "a"u8, Id = "x"u8 }, default).ToArray() },
        { "no amount", new EventWriter().PaymentReceived(new EventAddress { Tenant = "bank"u8, Debtor = "a"u8, Id = "x"u8 }, 0, Currency.Parse("EUR")).ToArray() },
        { "a tenant with a slash", new EventWriter().ItemCancelled(new EventAddress { Tenant = "b/k"u8, Debtor = "a"u8, Id = "x"u8 }, "i"u8).ToArray() },
    };

    [Theory]
    [MemberData(nameof(Poison))]
    public void Poison_is_a_dead_letter_and_never_stops_a_partition(string what, byte[] content)
    {
        using Scene scene = new();
        scene.Tell(content).Owes("b").Run();
        string reason = Assert.Single(scene.DeadLetters());
        Assert.True(reason.Contains(": ", StringComparison.Ordinal), $"{what}: {reason}");
        Assert.Equal(["b"], scene.Heads());
        Assert.Null(scene.Partition.View.Debtor("bank"u8, "a"u8));
    }

    [Fact]
    public void A_rest_that_begins_and_ends_within_one_slice_ends_at_its_own_moment()
    {
        using Scene scene = new Scene().Owes("a").Run();
        scene.Reports("a", "9-9");
        long attemptMs = scene.NowMs;
        scene.NowMs += 2 * BuiltInStrategy.RestMs;
        scene.Run();
        Assert.Equal(["a"], scene.Heads());
        Assert.Equal(attemptMs + BuiltInStrategy.RestMs, scene.Debtor("a").Acted.EligibleSinceMs);
    }

    private static (long Applied, long Duplicates, long DeadLetters, long Parked) Counts(Scene scene)
    {
        Stores.PartitionCounters counters = scene.Partition.Counters;
        return (counters.Applied, counters.Duplicates, counters.DeadLetters, counters.Parked);
    }
}
