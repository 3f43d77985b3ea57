using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Storage.Postgres;

namespace Collections.Storage.Tests;

/// <summary>What the store keeps, in which form, and that changes behind its back are noticed.</summary>
[Collection(PostgresServer.Name)]
public sealed class PostgresStoreTests(SharedCluster cluster)
{
    [PostgresFact]
    public void A_hundred_thousand_states_come_back_as_from_sqlite()
    {
        using var scratch = new Scratch();
        using var sqlite = new SqliteStore(scratch.Directory);
        using PostgresStore postgres = new PostgresScene(cluster.Server).Open();
        long epoch = sqlite.TakeOwnership(0, "me");
        Assert.Equal(epoch, postgres.TakeOwnership(0, "me"));
        var random = new Random(5);
        for (int round = 0; round < 2; round++)
        {
            var checkpoint = new Checkpoint { Partition = 0, Epoch = epoch, Header = StoreSamples.Header(round) };
            for (int i = 0; i < 100_000; i += 1 + round * random.Next(5))
                random.NextBytes(checkpoint.AddState(i, 500 + random.Next(400)));
            // Bigger than a page, and than the buffer between.
            random.NextBytes(checkpoint.AddState(7, 20_000));
            random.NextBytes(checkpoint.AddState(200_000, 300_000));
            sqlite.Commit(checkpoint);
            postgres.Commit(checkpoint);
        }
        DigestSink expected = DigestSink.Of(sqlite), actual = DigestSink.Of(postgres);
        Assert.Equal(100_001, actual.States);
        Assert.Equal((expected.States, expected.Digest), (actual.States, actual.Digest));
    }

    [PostgresFact]
    public void What_people_read_beside_the_image_is_what_the_engine_said()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        Assert.True(store.WantsReadable);
        var checkpoint = new Checkpoint { Partition = 3, Epoch = store.TakeOwnership(3, "me"), Readable = new ReadableStates() };
        Add(9, new ReadableState(123_456, 23_456, Currency.Parse("EUR"), 33, 2, -0.5, 0.25, 77.5, Channel.Voice, 1_767_225_600_123), "bank", "debtor-ü", "cards");
        Add(2, new ReadableState(0, 0, Currency.None, null, 0, double.NaN, double.NaN, 0, Channel.None, 0), "bank", "new", "default");
        store.Commit(checkpoint);
        const string All = "SELECT partition, slot, tenant, debtor, portfolio, currency, balance_minor, overdue_minor, oldest_dpd, stage, score, propensity, value, queue, extract(epoch FROM scored_at) FROM state ORDER BY slot";
        Assert.Equal(
            "3|2|bank|new|default||0|0||0|||||\n" +
            "3|9|bank|debtor-ü|cards|EUR|123456|23456|33|2|-0.5|0.25|77.5|cards/voice|1767225600.123000",
            scene.Sql(All));
        checkpoint.Clear();
        Add(9, new ReadableState(0, 0, Currency.Parse("EUR"), null, 0, 0.5, 0.5, 0, Channel.None, 1_767_225_601_000), "bank", "debtor-ü", "cards");
        store.Commit(checkpoint);
        Assert.EndsWith("3|9|bank|debtor-ü|cards|EUR|0|0||0|0.5|0.5|||1767225601.000000", scene.Sql(All), StringComparison.Ordinal);
        Assert.Equal(2, LoadedCheckpoint.Of(store, 3)!.States.Count);

        void Add(int slot, ReadableState figures, string tenant, string debtor, string portfolio)
        {
            checkpoint.AddState(slot, 4).Fill(1);
            checkpoint.Readable!.Add(figures, Encoding.UTF8.GetBytes(tenant), Encoding.UTF8.GetBytes(debtor), Encoding.UTF8.GetBytes(portfolio));
        }
    }

    [PostgresFact]
    public void States_that_were_left_without_their_checkpoint_give_way_to_the_first_one()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        store.Commit(StoreSamples.Full(0, epoch, 1));
        scene.Sql("DELETE FROM checkpoint");
        var first = new Checkpoint { Partition = 0, Epoch = epoch };
        first.AddState(0, 2).Fill(7);
        first.AddState(3, 2).Fill(8);
        store.Commit(first);
        Assert.Equal([0, 3], LoadedCheckpoint.Of(store, 0)!.States.Keys.Order());
    }

    [PostgresFact]
    public void Where_a_checkpoint_stands_can_be_read()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        store.Commit(StoreSamples.Full(0, store.TakeOwnership(0, "me"), 1_000));
        Assert.Equal("0|1000|2000|9223372036854774807|1000|True|-1.000000", scene.Sql("SELECT partition, next_invoices, next_payments, next_activity, applied, committed_at <= now(), extract(epoch FROM clock_at) FROM checkpoint"));
    }

    [PostgresFact]
    public void Text_with_a_character_zero_is_kept()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        LeaseRow lease = StoreSamples.Lease(0, 1) with { Caller = "a\0b", RequestId = "c:\\temp\0" };
        store.CommitLeases([StoreSamples.Grant(epoch, lease)]);
        Assert.Equal(lease, store.LoadLeases(0)[0]);
        var checkpoint = new Checkpoint { Partition = 0, Epoch = epoch };
        checkpoint.DeadLetters.Add(new DeadLetter(1, 0, 1, "'\0' is no amount", [0]));
        checkpoint.Audit.Add(StoreSamples.Audit(1) with { Detail = "\0" });
        store.Commit(checkpoint);
        Assert.Equal("'\0' is no amount", store.LoadDeadLetters(0, 0, 1)[0].Letter.Reason);
    }

    [PostgresTheory]
    [InlineData("UPDATE state SET slot = slot + 1000 WHERE slot = (SELECT max(slot) FROM state)")]
    [InlineData("UPDATE state SET image = set_byte(image, 99, get_byte(image, 99) # 1) WHERE length(image) > 100")]
    [InlineData("UPDATE held SET log_offset = log_offset + 1")]
    [InlineData("UPDATE held SET history = NOT history")]
    [InlineData("DELETE FROM held WHERE sequence = 1")]
    [InlineData("UPDATE checkpoint SET header = set_byte(header, 20, get_byte(header, 20) # 1)")]
    [InlineData("UPDATE checkpoint SET header = '\\x00'")]
    [InlineData("UPDATE checkpoint SET names = names || '\\x00'")]
    [InlineData("UPDATE checkpoint SET names = NULL")]
    [InlineData("UPDATE checkpoint SET outcomes = '\\x01'")]
    public void Rows_changed_behind_its_back_are_noticed(string damage)
    {
        PostgresScene scene = CommitOne();
        scene.Sql(damage);
        using PostgresStore store = scene.Open();
        StoreCorruptException e = Assert.Throws<StoreCorruptException>(() => LoadedCheckpoint.Of(store, 0));
        Assert.Contains(scene.Settings.Schema, e.Message, StringComparison.Ordinal);
        Assert.Contains("restore", e.Message, StringComparison.Ordinal);
        // The connection was left in the middle of a COPY, and the next call does not see that.
        Assert.Single(store.LoadLeases(0));
    }

    [PostgresTheory]
    [InlineData("UPDATE lease SET expires_ms = expires_ms + 1")]
    [InlineData("UPDATE lease SET state = 2")]
    [InlineData("UPDATE lease SET debtor = 'another'")]
    [InlineData("UPDATE lease SET sequence = 2")]
    [InlineData("UPDATE lease SET value = 1e9")]
    [InlineData("UPDATE lease SET reasons = ''")]
    [InlineData("UPDATE lease SET reasons = reasons || '\\x01'")]
    public void A_lease_changed_behind_its_back_is_noticed(string damage)
    {
        PostgresScene scene = CommitOne();
        scene.Sql(damage);
        using PostgresStore store = scene.Open();
        Assert.Contains("checksum", Assert.Throws<StoreCorruptException>(() => store.LoadLeases(0)).Message, StringComparison.Ordinal);
    }

    [PostgresTheory]
    [InlineData("UPDATE configuration_document SET content = content || '\\x01'", true)]
    [InlineData("UPDATE configuration_act SET by = 'somebody else'", false)]
    [InlineData("DELETE FROM configuration_act WHERE sequence = 1", false)]
    public void A_configuration_changed_behind_its_back_is_noticed(string damage, bool isDocument)
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        var act = new ConfigurationAct(1, 5, "ann", ConfigurationKind.Model, ConfigurationActKind.Added, "propensity", 1);
        store.CommitConfiguration(act, new ConfigurationVersion(1, ConfigurationKind.Model, "m", "1"), [new ConfigurationDocument("model", [1])]);
        store.CommitConfiguration(act with { Sequence = 2 }, null, []);
        scene.Sql(damage);
        Assert.Throws<StoreCorruptException>(() => isDocument ? store.LoadDocument(1, "model")!.Length : store.LoadActs().Count);
    }

    private PostgresScene CommitOne()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        store.Commit(StoreSamples.Full(0, epoch, 1));
        store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1))]);
        return scene;
    }

    private sealed class DigestSink : ICheckpointSink
    {
        public int States { get; private set; }

        public uint Digest { get; private set; }

        public static DigestSink Of(IStore store)
        {
            var sink = new DigestSink();
            Assert.True(store.Load(0, sink));
            return sink;
        }

        public void Header(CheckpointHeader header)
        {
        }

        public void Names(ReadOnlySpan<byte> names)
        {
        }

        public void Outcomes(ReadOnlySpan<byte> outcomes)
        {
        }

        public void State(int slot, ReadOnlySpan<byte> image)
        {
            States++;
            Digest = Checksum.Of(image, Checksum.Of(slot, Digest));
        }

        public void Held(in LogRecord record)
        {
        }
    }
}
