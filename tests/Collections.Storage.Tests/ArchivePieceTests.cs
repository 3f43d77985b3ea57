using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Tests;

/// <summary>What an archive hands over to another node's: what it has without a hole, and nothing that it does not know.</summary>
public sealed class ArchivePieceTests : IDisposable
{
    private readonly Scratch scratch = new();
    private readonly StandingClock clock = new();
    private readonly SortedSet<long> records = [];
    private readonly SortedSet<long> known = [];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Any_chapters_gaps_and_losses_are_handed_over_up_to_each_hole(int seed)
    {
        var random = new Random(seed);
        SqliteArchive archive = Open();
        for (int turn = 0; turn < 12; turn++)
        {
            long end = archive.End(0).Payments;
            archive.Begin(0, Payments(end + (turn > 0 && random.Next(2) == 0 ? random.Next(1, 30) : 0)));
            await AppendAsync(archive, archive.End(0).Payments + (turn == 0 ? random.Next(2) * 5 : 0), random);
            Check(archive, random);
            while (random.Next(4) > 0 && archive.GapOf(0) is { } gap)
                FillSome(archive, gap, random);
            Check(archive, random);
            if (archive.GapOf(0) is null)
            {
                archive.Dispose();
                clock.Now = clock.Now.AddDays(1);
                archive = Open();
                Check(archive, random);
            }
        }
        archive.Dispose();
    }

    [Fact]
    public async Task A_beginning_that_was_never_there_is_told_as_empty()
    {
        using SqliteArchive archive = Open();
        archive.Begin(0, StreamPositions.Start);
        // The source had lost its beginning when it was begun with.
        await archive.AppendAsync(At([500, 501]));
        var into = new AppendBatch();
        Assert.Equal(new ArchivePart(0, 100), archive.ReadPiece(0, Piece(0, 100), int.MaxValue, into));
        Assert.Equal(0, into.Count);
        Assert.Equal(new ArchivePart(0, 502), archive.ReadPiece(0, Piece(0, 502), int.MaxValue, into));
        Assert.Equal(2, into.Count);
        // Of a stream without a record nobody knows how far it was read, until it was noted.
        var invoices = new LostPiece(EventStream.Invoices, 0, 502);
        Assert.Equal(new ArchivePart(502, 502), archive.ReadPiece(0, invoices, int.MaxValue, into));
        archive.Note(0, archive.NoteOf(0)! with { Through = new StreamPositions(400, 502, 0) });
        Assert.Equal(new ArchivePart(0, 400), archive.ReadPiece(0, invoices, int.MaxValue, into));
        Assert.Equal(2, into.Count);
    }

    [Fact]
    public void What_is_found_is_taken_out_of_the_note()
    {
        ArchiveNote note = ArchiveNote.New.Without([Piece(5, 20), new LostPiece(EventStream.Activity, 5, 20)]);
        Assert.Same(note, note.With(Piece(20, 30)));
        Assert.Equal([Piece(8, 20)], note.With(Piece(0, 8)).Lost.Where(static lost => lost.Stream == EventStream.Payments));
        Assert.Equal([Piece(5, 8), Piece(12, 20)], note.With(Piece(8, 12)).Lost.Where(static lost => lost.Stream == EventStream.Payments));
        Assert.Equal([new LostPiece(EventStream.Activity, 5, 20)], note.With(Piece(0, 90)).Lost);
    }

    public void Dispose() => scratch.Dispose();

    private static LostPiece Piece(long from, long to) => new(EventStream.Payments, from, to);

    private static StreamPositions Payments(long offset) => new(0, offset, 0);

    private SqliteArchive Open() => new(scratch.Directory, new SqliteLogOptions(1), clock);

    private async Task AppendAsync(SqliteArchive archive, long from, Random random)
    {
        List<long> offsets = Some(from, from + random.Next(1, 60), random);
        await archive.AppendAsync(At(offsets));
        Know(known.Count == 0 ? 0 : from, offsets[^1] + 1, offsets);
    }

    /// <summary>The next part of a gap comes, or is lost.</summary>
    private void FillSome(SqliteArchive archive, ArchiveGap gap, Random random)
    {
        long from = gap.From.Payments, to = random.NextInt64(from, gap.To.Payments) + 1;
        if (random.Next(3) == 0)
        {
            archive.Note(0, (archive.NoteOf(0) ?? ArchiveNote.New).Without([Piece(from, to)]));
            archive.Fill(0, gap, new AppendBatch(), Payments(to));
            return;
        }
        List<long> offsets = Some(from, to, random);
        archive.Fill(0, gap, At(offsets), Payments(to));
        Know(from, to, offsets);
    }

    /// <summary>Offsets of a source that has some without a record.</summary>
    private static List<long> Some(long from, long to, Random random)
    {
        List<long> offsets = [.. Enumerable.Range(0, (int)(to - from)).Select(i => from + i).Where(_ => random.Next(5) > 0)];
        return offsets.Count > 0 ? offsets : [from];
    }

    private void Know(long from, long to, List<long> offsets)
    {
        for (long offset = from; offset < to; offset++)
            known.Add(offset);
        records.UnionWith(offsets);
    }

    private void Check(SqliteArchive archive, Random random)
    {
        for (int i = 0; i < 6; i++)
        {
            long from = random.NextInt64(archive.End(0).Payments + 3), to = from + random.Next(1, 100), at = from;
            var found = new List<long>();
            ArchivePart part;
            do
            {
                var into = new AppendBatch();
                part = archive.ReadPiece(0, Piece(at, to), random.Next(1, 1_000), into);
                for (int r = 0; r < into.Count; r++)
                {
                    Assert.Equal(LogSamples.ContentOf(into.OffsetOf(r)), into.ContentOf(r).ToArray());
                    Assert.Equal((into.OffsetOf(r), 1UL, 0), (into.KnownMsOf(r), into.DebtorHashOf(r), into.PartitionOf(r)));
                    found.Add(into.OffsetOf(r));
                }
                if (part.From == at)
                    at = part.To;
            }
            while (part.From < part.To && at < to);
            long begins = Enumerable.Range(0, (int)(to - from)).Select(o => from + o).Where(known.Contains).FirstOrDefault(to);
            long ends = begins > from ? from : from + Enumerable.Range(0, (int)(to - from)).TakeWhile(o => known.Contains(from + o)).Count();
            Assert.Equal(ends, at);
            if (begins > from)
                Assert.Equal(new ArchivePart(begins, begins), part);
            Assert.Equal(records.Where(r => r >= from && r < ends), found);
        }
    }

    private static AppendBatch At(IReadOnlyList<long> offsets)
    {
        var batch = new AppendBatch();
        foreach (long offset in offsets)
        {
            batch.Add(0, EventStream.Payments, 1, offset, history: false, LogSamples.ContentOf(offset));
            batch.SetOffset(batch.Count - 1, offset);
        }
        return batch;
    }
}
