using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Kafka.Tests;

public sealed class PartitionFeedTests
{
    [Fact]
    public async Task Offsets_without_records_are_passed_over_once_everything_before_them_is_read()
    {
        using var archive = new MemoryArchive(1);
        var feed = new PartitionFeed(0, StreamPositions.Start);
        for (int i = 0; i < 3; i++)
        {
            feed.Filling.Add(0, EventStream.Payments, 1, knownMs: 10 + i, history: false, "x"u8);
            feed.Filling.SetOffset(i, i);
        }
        // Kafka has gone on to offset 5, without records from 3 on, as behind the end of a transaction.
        feed.Reached = new StreamPositions(0, 5, 0);
        feed.SetEnd(EventStream.Payments, 5, at: 1);
        Assert.Equal(new StreamPositions(0, 5, 0), feed.End(archive));
        Assert.Equal(new StreamPositions(0, 2, 0), feed.PassGaps(new StreamPositions(0, 2, 0), archive));
        feed.Hand();
        await archive.AppendAsync(feed.Handed);
        feed.OnArchived();
        Assert.Equal(new StreamPositions(0, 2, 0), feed.PassGaps(new StreamPositions(0, 2, 0), archive));
        Assert.Equal(new StreamPositions(0, 5, 0), feed.PassGaps(new StreamPositions(0, 3, 0), archive));
        // For reading nothing is to come.
        Assert.Equal(new StreamPositions(0, 3, 0), feed.EndOver(archive));
    }
}
