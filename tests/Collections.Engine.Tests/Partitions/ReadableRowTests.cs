using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;

namespace Collections.Engine.Tests.Partitions;

/// <summary>The rows for people that a checkpoint carries beside the images, where the store wants them.</summary>
public sealed class ReadableRowTests
{
    [Fact]
    public void They_say_what_the_partition_says_of_each_debtor()
    {
        using Scene scene = new Scene().Owes("a").Owes("b").Owes("c");
        var files = new ModelFiles(StumpModel.Constant(0.3), StumpModel.Manifest("stump", "1"));
        scene.Partition.Install(ModelSet.Of(ScoringModel.Create("stump", files, out _, 1)!) with { Revision = 1 });
        scene.Run();
        scene.Pays("b", 1).Run();
        var checkpoint = new Checkpoint { Readable = new ReadableStates() };
        scene.Partition.Checkpoints.Fill(checkpoint);
        ReadableStates rows = checkpoint.Readable;
        Assert.Equal(checkpoint.StateCount, rows.Count);
        for (int i = 0; i < rows.Count; i++)
        {
            Assert.Equal("bank", Encoding.UTF8.GetString(rows.TenantOf(i)));
            DebtorSnapshot debtor = scene.Debtor(Encoding.UTF8.GetString(rows.DebtorOf(i)));
            Assert.Equal(debtor.Portfolio, Encoding.UTF8.GetString(rows.PortfolioOf(i)));
            Assert.Equal(
                new ReadableState(
                    debtor.Facts.OpenMinor, debtor.Facts.OverdueMinor, debtor.Facts.Currency, debtor.Facts.OpenItems > 0 ? debtor.Facts.OldestDpd : null, 0,
                    debtor.Acted.Score, debtor.Acted.Propensity, debtor.Acted.Value, (Channel)debtor.Acted.QueueChannel, debtor.Acted.ScoredAtMs),
                rows.FiguresOf(i));
            Assert.Equal(0.3, rows.FiguresOf(i).Propensity, 9);
            Assert.NotEqual(Channel.None, rows.FiguresOf(i).Queue);
        }
    }

    [Fact]
    public void They_change_neither_who_is_kept_nor_how_much_of_him()
    {
        Assert.Equal(Images(null), Images(new ReadableStates()));

        static string Images(ReadableStates? readable)
        {
            using Scene scene = new Scene().Owes("a").Owes("b").Pays("a", 1).Run();
            var checkpoint = new Checkpoint { Readable = readable };
            scene.Partition.Checkpoints.Fill(checkpoint);
            string first = Text(checkpoint);
            scene.Pays("b", 2).Run();
            scene.Partition.Checkpoints.Fill(checkpoint);
            return first + Text(checkpoint);
        }

        static string Text(Checkpoint checkpoint) =>
            string.Join('\n', Enumerable.Range(0, checkpoint.StateCount).Select(i => $"{checkpoint.SlotOf(i)} {checkpoint.ImageOf(i).Length}"));
    }

    [Fact]
    public void A_debtor_of_whom_nothing_is_known_yet_has_no_figures()
    {
        var rows = new ReadableStates();
        rows.Add(new ReadableState(0, 0, Currency.None, null, 0, double.NaN, double.NaN, 0, Channel.None, 0), "bank"u8, new byte[5_000], default);
        Assert.Equal((5_000, 0), (rows.DebtorOf(0).Length, rows.PortfolioOf(0).Length));
        rows.Clear();
        Assert.Equal(0, rows.Count);
    }
}
