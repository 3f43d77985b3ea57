using System.Net;
using System.Net.Sockets;
using Collections.Domain;
using Collections.Engine.Stores;
using Collections.Storage.Postgres;
using Collections.Storage.Stores;
using Npgsql;

namespace Collections.Storage.Tests;

/// <summary>Servers that stop, sessions that end, answers that are lost: nothing is lost, nothing counted twice, and nobody waits for ever.</summary>
[Collection(PostgresServer.Name)]
public sealed class PostgresFailureTests(SharedCluster cluster)
{
    public static TheoryData<int> CheckpointSteps => [.. Enum.GetValues<StoreStep>().Where(step => step <= StoreStep.Commit).Select(step => (int)step)];

    [PostgresTheory]
    [MemberData(nameof(CheckpointSteps))]
    public void A_checkpoint_that_fails_at_any_step_leaves_the_one_before(int step)
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        store.Commit(StoreSamples.Full(0, epoch, 1));
        string before = LoadedCheckpoint.Of(store, 0)!.Text;
        Checkpoint next = StoreSamples.Full(0, epoch, 2);
        next.Replace = true;
        scene.Once((StoreStep)step, static () => throw new IOException("the program's own failure"));
        Assert.Throws<IOException>(() => store.Commit(next));
        Assert.Equal(before, LoadedCheckpoint.Of(store, 0)!.Text);
        Assert.Single(store.LoadDeadLetters(0, 0, 10));
        store.Commit(next);
        Assert.NotEqual(before, LoadedCheckpoint.Of(store, 0)!.Text);
        Assert.Equal(2, store.LoadDeadLetters(0, 0, 10).Count);
    }

    [PostgresTheory]
    [MemberData(nameof(CheckpointSteps))]
    public void A_session_that_is_ended_at_any_step_of_a_checkpoint_costs_nothing(int step)
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        Checkpoint first = StoreSamples.Full(0, epoch, 1), next = StoreSamples.Full(0, epoch, 2);
        store.Commit(first);
        string before = LoadedCheckpoint.Of(store, 0)!.Text;
        scene.Once((StoreStep)step, scene.EndSessions);
        if ((StoreStep)step == StoreStep.Commit)
        {
            // The commit itself was sent and never answered: only asking again tells.
            Assert.Throws<StoreUnavailableException>(() => store.Commit(next));
            Assert.Equal(before, LoadedCheckpoint.Of(store, 0)!.Text);
        }
        store.Commit(next);
        Assert.Equal(StoreSamples.Header(2), LoadedCheckpoint.Of(store, 0)!.Head);
        Assert.Equal("2|2", scene.Sql("SELECT max(sequence), count(*) FROM audit"));
        Assert.Equal("2|2", scene.Sql("SELECT max(sequence), count(*) FROM outbox"));
        Assert.Equal(2, store.LoadDeadLetters(0, 0, 10).Count);
        Assert.Equal("2", scene.Sql("SELECT checkpoints FROM owner"));
    }

    [PostgresTheory]
    [InlineData("fast")]
    [InlineData("immediate")]
    public void A_server_that_stops_in_the_middle_of_a_checkpoint_and_comes_back_takes_it_on_the_next_try(string mode)
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        store.Commit(StoreSamples.Full(0, epoch, 1));
        string before = LoadedCheckpoint.Of(store, 0)!.Text;
        Checkpoint next = StoreSamples.Full(0, epoch, 2);
        scene.Once(StoreStep.Header, () => cluster.Server.StopServer(mode));
        try
        {
            StoreUnavailableException e = Assert.Throws<StoreUnavailableException>(() => store.Commit(next));
            Assert.Contains("checkpoint of partition 0", e.Message, StringComparison.Ordinal);
            Assert.Throws<StoreUnavailableException>(() => store.Commit(next));
            Assert.Throws<StoreUnavailableException>(() => store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1))]));
            Assert.Throws<StoreUnavailableException>(() => store.LoadLeases(0));
            Assert.Throws<StoreUnavailableException>(() => store.TakeOwnership(0, "me"));
        }
        finally
        {
            cluster.Server.StartServer();
        }
        Assert.Equal(before, LoadedCheckpoint.Of(store, 0)!.Text);
        store.Commit(next);
        store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1))]);
        Assert.Equal(StoreSamples.Header(2), LoadedCheckpoint.Of(store, 0)!.Head);
        Assert.Equal(2, store.LoadDeadLetters(0, 0, 10).Count);
        Assert.Single(store.LoadLeases(0));
    }

    [PostgresFact]
    public void A_server_that_was_restarted_between_two_calls_is_not_noticed()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        store.Commit(StoreSamples.Full(0, epoch, 1));
        foreach (Action call in (Action[])
        [
            () => store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1))]),
            () => store.Commit(StoreSamples.Full(0, epoch, 2)),
            () => Assert.Single(store.LoadLeases(0)),
            () => Assert.Equal(epoch + 1, store.TakeOwnership(0, "me")),
        ])
        {
            cluster.Server.StopServer("fast");
            cluster.Server.StartServer();
            call();
        }
    }

    [PostgresFact]
    public void A_checkpoint_whose_answer_was_lost_is_not_counted_twice()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        Checkpoint checkpoint = StoreSamples.Full(0, epoch, 1);
        // Lost twice: the second try finds it there, and its own answer is lost too.
        int losses = 2;
        scene.At = step =>
        {
            if (step == StoreStep.CheckpointCommitted && losses-- > 0)
                throw new NpgsqlException("the answer is lost");
        };
        Assert.Contains("whether it is there already", Assert.Throws<StoreUnavailableException>(() => store.Commit(checkpoint)).Message, StringComparison.Ordinal);
        Assert.Throws<StoreUnavailableException>(() => store.Commit(checkpoint));
        store.Commit(checkpoint);
        Assert.Single(store.LoadDeadLetters(0, 0, 10));
        Assert.Equal(new OutboxNumbers(1, 0), checkpoint.OutboxLast);
        Assert.Equal("1", scene.Sql("SELECT count(*) FROM outbox"));
        Assert.Equal("1", scene.Sql("SELECT count(*) FROM audit"));
        // Filled anew it is another one.
        checkpoint.Clear();
        checkpoint.Audit.Add(StoreSamples.Audit(2));
        store.Commit(checkpoint);
        Assert.Equal("2", scene.Sql("SELECT count(*) FROM audit"));
    }

    [PostgresFact]
    public void Leases_whose_answer_was_lost_are_asked_for()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        scene.Once(StoreStep.LeasesCommitted, static () => throw new NpgsqlException("the answer is lost"));
        store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1))]);
        Assert.Single(store.LoadLeases(0));
        scene.Once(StoreStep.CommitLeases, scene.EndSessions);
        Assert.Throws<StoreUnavailableException>(() => store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 2))]));
        Assert.Single(store.LoadLeases(0));
        store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 2))]);
        Assert.Equal(2, store.LoadLeases(0).Count);
    }

    [PostgresFact]
    public void Leases_that_count_as_not_committed_are_gone_when_the_store_is_back()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        scene.Once(StoreStep.LeasesCommitted, () =>
        {
            cluster.Server.StopServer("immediate");
            throw new NpgsqlException("the answer is lost");
        });
        try
        {
            Assert.Throws<StoreUnavailableException>(() => store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1)), StoreSamples.Grant(epoch, StoreSamples.Lease(0, 2))]));
        }
        finally
        {
            cluster.Server.StartServer();
        }
        Assert.Equal([1u, 2u], store.LoadLeases(0).Select(lease => lease.Sequence));
        store.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 3)), StoreSamples.Change(LeaseChangeKind.Void, 0, epoch, 2, expiresMs: 9)]);
        Assert.Equal([(2u, LeaseState.Voided), (3u, LeaseState.Open)], store.LoadLeases(0).Select(lease => (lease.Sequence, lease.State)));
    }

    [PostgresFact]
    public void A_change_of_the_configuration_whose_answer_was_lost_is_asked_for()
    {
        var scene = new PostgresScene(cluster.Server);
        using PostgresStore store = scene.Open();
        var act = new ConfigurationAct(1, 5, "ann", ConfigurationKind.Model, ConfigurationActKind.Activated, "propensity", 0);
        scene.Once(StoreStep.ConfigurationCommitted, static () => throw new NpgsqlException("the answer is lost"));
        store.CommitConfiguration(act, null, []);
        scene.Once(StoreStep.CommitConfiguration, scene.EndSessions);
        Assert.Throws<StoreUnavailableException>(() => store.CommitConfiguration(act with { Sequence = 2 }, null, []));
        store.CommitConfiguration(act with { Sequence = 2 }, null, []);
        Assert.Equal([act, act with { Sequence = 2 }], store.LoadActs());
    }

    [PostgresFact]
    public void A_server_that_never_answers_is_given_up()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        int port = ((IPEndPoint)silent.LocalEndpoint).Port;
        StoreUnavailableException e = Assert.Throws<StoreUnavailableException>(() => PostgresStore.Check(PostgresSettings.Parse($"Host=127.0.0.1;Port={port};Username=x;Timeout=1")));
        Assert.Contains($"127.0.0.1:{port}", e.Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public void A_statement_that_takes_too_long_is_given_up()
    {
        var scene = new PostgresScene(cluster.Server);
        using (scene.Open())
        {
        }
        using var impatient = new PostgresStore(PostgresSettings.Parse(cluster.Server.ConnectionTo(scene.Settings.Schema) + ";Command Timeout=1"));
        long epoch = impatient.TakeOwnership(0, "me");
        using var connection = new NpgsqlConnection(cluster.Server.ConnectionTo(scene.Settings.Schema));
        connection.Open();
        using NpgsqlTransaction blocking = connection.BeginTransaction();
        using (var command = new NpgsqlCommand("LOCK TABLE state, lease IN ACCESS EXCLUSIVE MODE", connection))
            command.ExecuteNonQuery();
        Assert.Contains("Command Timeout", Assert.Throws<StoreUnavailableException>(() => impatient.Commit(StoreSamples.Full(0, epoch, 1))).Message, StringComparison.Ordinal);
        Assert.Throws<StoreUnavailableException>(() => impatient.CommitLeases([StoreSamples.Grant(epoch, StoreSamples.Lease(0, 1))]));
        blocking.Rollback();
        impatient.Commit(StoreSamples.Full(0, epoch, 1));
    }

    [Theory]
    [InlineData("53100", "disk is full")]
    [InlineData("53300", "max_connections")]
    [InlineData("25006", "primary")]
    [InlineData("57014", "statement_timeout")]
    [InlineData("42501", "grant")]
    [InlineData("57P01", "tried again")]
    [InlineData("57P03", "tried again")]
    [InlineData("40001", "tried again")]
    [InlineData("40P01", "tried again")]
    [InlineData("08006", "tried again")]
    [InlineData("28P01", "tried again")]
    [InlineData("58030", "tried again")]
    public void What_passes_is_to_be_tried_again_and_says_what_to_do(string state, string word)
    {
        Exception e = Translated(state);
        Assert.IsType<StoreUnavailableException>(e);
        Assert.Contains(word, e.Message, StringComparison.Ordinal);
        Assert.Contains(state, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("XX001")]
    [InlineData("XX002")]
    [InlineData("42P01")]
    [InlineData("42703")]
    public void What_was_damaged_or_altered_can_t_be_trusted(string state) =>
        Assert.Contains("from a backup", Assert.IsType<StoreCorruptException>(Translated(state)).Message, StringComparison.Ordinal);

    [Fact]
    public void What_the_server_does_not_understand_is_a_defect_of_the_program() => Assert.IsType<InvariantBrokenException>(Translated("42601"));

    private static Exception Translated(string state) => PostgresFailures.Translate("place", "doing", new PostgresException("said", "ERROR", "ERROR", state));
}
