using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka.Tests;

/// <summary>Pieces that Kafka has no more, and nodes that have them, have part of them, are away, or have nothing.</summary>
public sealed class LostSearchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly LostPiece Piece = new(EventStream.Payments, 10, 100);

    private readonly SteppedClock clock = new();
    private readonly List<string> said = [];
    private readonly List<long> taken = [];
    private readonly LostSearch search;

    public LostSearchTests() => search = new LostSearch(clock, Patience, new Warnings(said.Add, clock));

    [Fact]
    public void Without_anybody_to_ask_it_is_lost_at_once() => Assert.Equal(new Search(10, 100, Waits: false), Look());

    [Fact]
    public void One_that_has_it_whole_gives_it()
    {
        Use(new Other("empty"), new Other("a", (0, 400)));
        Assert.Equal(new Search(100, 100, Waits: false), Look());
        Assert.Equal(Enumerable.Range(10, 90).Select(static i => (long)i), taken);
        Assert.Contains(said, static w => w.Contains("Payments 10 to 99 of partition 0", StringComparison.Ordinal) && w.EndsWith("node a", StringComparison.Ordinal));
        Assert.False(search.IsResting(0));
    }

    [Fact]
    public void Pieces_of_several_nodes_are_put_together()
    {
        Use(new Other("a", (50, 70)), new Other("b", (0, 50), (70, 90)), new Other("c", (85, 200)));
        Assert.Equal(new Search(100, 100, Waits: false), Look());
        Assert.Equal(Enumerable.Range(10, 90).Select(static i => (long)i), taken);
    }

    [Fact]
    public void A_hole_is_waited_for_and_given_up_up_to_where_somebody_goes_on()
    {
        Use(new Other("a", (0, 40), (60, 80)), new Other("b", (70, 300)));
        Assert.Equal(new Search(40, 60, Waits: true), Look());
        Assert.True(search.IsResting(0));
        Assert.False(search.IsResting(1));
        clock.Step(Patience - TimeSpan.FromSeconds(1));
        Assert.False(search.IsResting(0));
        LostPiece rest = Piece with { From = 40 };
        Assert.Equal(new Search(40, 60, Waits: true), Look(rest));
        clock.Step(TimeSpan.FromSeconds(1));
        Assert.Equal(new Search(40, 60, Waits: false), Look(rest));
        // What is behind the hole is looked for at once.
        Assert.False(search.IsResting(0));
        Assert.Equal(new Search(100, 100, Waits: false), Look(Piece with { From = 60 }));
    }

    [Fact]
    public void One_that_is_away_is_waited_for_and_gives_it_when_it_is_back()
    {
        var away = new Other("a", (0, 400)) { IsAway = true };
        Use(away);
        Assert.Equal(new Search(10, 100, Waits: true), Look());
        Assert.Contains(said, static w => w.Contains("node a can't be asked now", StringComparison.Ordinal));
        clock.Step(Patience / 2);
        Assert.True(Look().Waits);
        away.IsAway = false;
        Assert.Equal(new Search(100, 100, Waits: false), Look());
    }

    [Fact]
    public void One_that_goes_away_in_the_middle_has_given_what_it_gave_and_patience_begins_anew()
    {
        var other = new Other("a", (0, 400)) { BreaksAt = 33 };
        Use(other);
        Assert.Equal(new Search(33, 100, Waits: true), Look());
        other.IsAway = true;
        LostPiece rest = Piece with { From = 33 };
        clock.Step(Patience - TimeSpan.FromSeconds(1));
        Assert.True(Look(rest).Waits);
        (other.IsAway, other.BreaksAt) = (false, 66);
        Assert.Equal(new Search(66, 100, Waits: true), Look(rest));
        clock.Step(Patience - TimeSpan.FromSeconds(1));
        (other.IsAway, other.BreaksAt) = (true, 0);
        Assert.True(Look(Piece with { From = 66 }).Waits);
        clock.Step(TimeSpan.FromSeconds(1));
        Assert.False(Look(Piece with { From = 66 }).Waits);
        Assert.Equal(Enumerable.Range(10, 56).Select(static i => (long)i), taken);
    }

    [Fact]
    public void Nobody_known_may_come_yet_and_what_was_noted_before_is_not_waited_for()
    {
        Use();
        Assert.True(Look().Waits);
        Assert.False(Look(isNoted: true).Waits);
        Assert.True(Look().Waits);
        // A partition that was closed begins anew.
        clock.Step(Patience);
        search.Forget(0);
        Assert.False(search.IsResting(0));
        Assert.True(Look().Waits);
    }

    [Fact]
    public void An_archive_that_takes_nothing_is_no_fault_of_the_others()
    {
        Use(new Other("a", (0, 400)));
        Assert.Throws<LogUnavailableException>(() => search.Look(0, Piece, isNoted: false, static (_, _) => throw new LogUnavailableException("full"), CancellationToken.None));
        Assert.Equal(new Search(10, 100, Waits: true), search.Look(0, Piece, isNoted: false, static (_, _) => false, CancellationToken.None));
        Assert.Empty(said);
    }

    private void Use(params Other[] others) => search.Others = () => others;

    private Search Look(LostPiece? piece = null, bool isNoted = false) => search.Look(0, piece ?? Piece, isNoted, Take, CancellationToken.None);

    private bool Take(AppendBatch records, long to)
    {
        for (int i = 0; i < records.Count; i++)
            taken.Add(records.OffsetOf(i));
        Assert.Equal(to, taken[^1] + 1);
        return true;
    }

    /// <summary>Has a record at each offset of some ranges.</summary>
    private sealed class Other(string name, params (long From, long To)[] has) : IOtherArchive
    {
        public string Name => name;

        public bool IsAway { get; set; }

        /// <summary>Where the connection is lost; 0: nowhere.</summary>
        public long BreaksAt { get; set; }

        public long Copy(int partition, LostPiece piece, Func<AppendBatch, long, bool> take, CancellationToken cancellation)
        {
            if (IsAway)
                throw new LogUnavailableException("away");
            (long From, long To) held = Array.Find(has, h => h.To > piece.From) is { To: > 0 } found ? found : (piece.To, piece.To);
            if (held.From > piece.From)
                return Math.Min(held.From, piece.To);
            var batch = new AppendBatch();
            long end = Math.Min(held.To, piece.To);
            for (long offset = piece.From; offset < end; offset++)
            {
                if (offset == BreaksAt)
                    throw new LogUnavailableException("broken");
                batch.Clear();
                batch.Add(partition, piece.Stream, 1, offset, history: false, "x"u8);
                batch.SetOffset(0, offset);
                if (!take(batch, offset + 1))
                    break;
            }
            return piece.From;
        }
    }

    private sealed class SteppedClock : TimeProvider
    {
        private long now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now;

        public void Step(TimeSpan time) => now += time.Ticks;
    }
}
