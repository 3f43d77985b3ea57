using System.Collections.Concurrent;
using System.Net;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Kafka.Tests;
using Collections.Server.Cluster;
using Collections.Server.Hosting;
using Collections.Server.Kafka;
using Collections.Server.Tests.EndToEnd;
using Collections.Storage;
using Google.Protobuf;
using Grpc.Core;
using Event = Collections.V1.Event;

namespace Collections.Server.Tests.Kafka;

/// <summary>What a node missed and retention has deleted since comes from the archive of a node that had it.</summary>
public sealed class ArchiveBackfillTests : IDisposable
{
    private const string Prefix = "gap";
    private readonly MockCluster cluster = new(brokers: 1);
    private readonly TestFolder folder = new();
    private readonly ConcurrentQueue<string> warnings = [];
    private readonly SqliteArchive archive;

    public ArchiveBackfillTests()
    {
        cluster.CreateTopics(Prefix, partitions: 1);
        archive = new SqliteArchive(folder["b"], new SqliteLogOptions(1), TimeProvider.System);
    }

    public void Dispose()
    {
        archive.Dispose();
        cluster.Dispose();
        folder.Dispose();
    }

    [KafkaFact]
    public async Task It_is_waited_for_and_comes_over_the_wire()
    {
        using KafkaEventLog log = Open(TimeSpan.FromMinutes(1));
        RunFor(log, 20);
        Send(20, 30);
        using KafkaSource source = await KafkaSource.OpenAsync(Options("a"), new DataDirectory(folder["a"]), partitions: null, TimeProvider.System, warnings.Enqueue, CancellationToken.None);
        using IStore store = new DataDirectory(folder["a"]).OpenStore();
        await using NodeServer node = await NodeServer.StartAsync(source.Log, store, new EngineOptions(), TimeProvider.System, new IPEndPoint(IPAddress.Loopback, 0), warnings.Enqueue);
        // Of nodes that share a log each one can ask the others.
        Assert.Empty(source.Log.Others!());
        Until(() => ArchivedBy(source.Log) == 50);
        DeleteByRetention(sent => Until(() => ArchivedBy(source.Log) == 50 + sent));

        IReadOnlyList<IOtherArchive> known = [];
        log.Others = () => Volatile.Read(ref known);
        log.Open(0, new StreamPositions(0, 60, 0));
        Until(() => warnings.Any(static w => w.Contains("histories of the partition wait", StringComparison.Ordinal)));
        Assert.Equal(20, archive.GapOf(0)!.Value.From.Payments);
        Assert.Throws<LogUnavailableException>(() => log.ReadHistory(0, 1, new StreamPositions(0, 60, 0), new RecordBatch()));
        using var peer = new Peer(node.Address.Authority, TimeProvider.System);
        Volatile.Write(ref known, [new PeerArchive(peer)]);
        Until(() => archive.GapOf(0) is null);
        Assert.True(archive.NoteOf(0)!.Lost.Count == 0, string.Join("\n", warnings));
        Assert.Equal(60, Contents(archive.ReadPiece).Count);
        Assert.Equal(Contents(source.Log.ReadPiece), Contents(archive.ReadPiece));
        Assert.Contains(warnings, w => w.Contains("Payments 20 to ", StringComparison.Ordinal) && w.EndsWith($"from the archive of node {peer.Address}", StringComparison.Ordinal));

        // What it does not have, and who asks for nonsense.
        Assert.Equal(90, new PeerArchive(peer).Copy(0, new LostPiece(EventStream.Payments, 70, 90), static (_, _) => throw new InvalidOperationException(), CancellationToken.None));
        foreach (LostPiece nonsense in (LostPiece[])[new((EventStream)9, 0, 5), new(EventStream.Payments, 5, 5), new(EventStream.Payments, -1, 5)])
        {
            var request = new V1.PeerArchiveRequest { Stream = (int)nonsense.Stream, From = nonsense.From, To = nonsense.To };
            using AsyncServerStreamingCall<V1.PeerArchivePart> call = peer.ReadArchive(request, new CallOptions());
            RpcException refused = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        }
        using var away = new Peer("127.0.0.1:1", TimeProvider.System);
        Assert.Throws<LogUnavailableException>(() => new PeerArchive(away).Copy(0, new LostPiece(EventStream.Payments, 0, 5), static (_, _) => true, CancellationToken.None));
    }

    [KafkaFact]
    public void What_nobody_has_is_noted_as_lost_in_the_end_and_the_rest_comes_from_the_topic()
    {
        using KafkaEventLog log = Open(TimeSpan.FromMilliseconds(600));
        RunFor(log, 20);
        Send(20, 30);
        DeleteByRetention();
        log.Others = static () => [];
        log.Open(0, new StreamPositions(0, 60, 0));
        Until(() => archive.GapOf(0) is null);
        LostPiece lost = Assert.Single(archive.NoteOf(0)!.Lost);
        Assert.Equal((EventStream.Payments, 20), (lost.Stream, lost.From));
        Assert.InRange(lost.To, 50, 59);
        Assert.Contains(warnings, static w => w.Contains("noted as lost", StringComparison.Ordinal));
        var into = new AppendBatch();
        Assert.Equal(new ArchivePart(0, 20), archive.ReadPiece(0, new LostPiece(EventStream.Payments, 0, 60), int.MaxValue, into));
        Assert.Equal(new ArchivePart(lost.To, 60), archive.ReadPiece(0, lost with { From = lost.To, To = 60 }, int.MaxValue, into));
        Assert.Equal(20 + 60 - lost.To, into.Count);
    }

    private static void Until(Func<bool> done) => Assert.True(SpinWait.SpinUntil(done, CollectionsProcess.Patience), "what was waited for did not happen");

    /// <summary>How far its archive is, not how far the topic goes.</summary>
    private static long ArchivedBy(KafkaEventLog log) => log.ReadPiece(0, new LostPiece(EventStream.Payments, 0, 60), int.MaxValue, new AppendBatch()) is { From: 0 } part ? part.To : 0;

    private static List<string> Contents(Func<int, LostPiece, int, AppendBatch, ArchivePart> read)
    {
        var into = new AppendBatch();
        Assert.Equal(new ArchivePart(0, 60), read(0, new LostPiece(EventStream.Payments, 0, 60), int.MaxValue, into));
        return [.. Enumerable.Range(0, into.Count).Select(i => $"{into.OffsetOf(i)} {into.DebtorHashOf(i)} {into.KnownMsOf(i)} {into.IsHistory(i)} {Convert.ToHexString(into.ContentOf(i))}")];
    }

    private KafkaLogOptions Options(string group) => new(cluster.Bootstrap)
    {
        Prefix = Prefix,
        Group = group,
        Settings = new Dictionary<string, string> { ["fetch.wait.max.ms"] = "5", ["session.timeout.ms"] = "6000", ["heartbeat.interval.ms"] = "200" },
    };

    private KafkaEventLog Open(TimeSpan patience) => new(Options("b") with { LostPatience = patience }, archive, EventJson.TryToWire, TimeProvider.System, warnings.Enqueue);

    /// <summary>The log's node runs the partition until it has the first records, and then another one does.</summary>
    private void RunFor(KafkaEventLog log, int count)
    {
        log.Open(0, StreamPositions.Start);
        Send(0, count);
        Until(() => archive.End(0).Payments == count);
        log.Close(0);
    }

    private void Send(int first, int count)
    {
        using var producer = new ForeignProducer(cluster.Bootstrap, Prefix, Confluent.Kafka.Partitioner.Murmur2Random);
        for (int i = first; i < first + count; i++)
        {
            var payment = new Event { Debtor = $"D-{i % 7}", Id = $"{i}", EffectiveDate = "2026-03-01", ItemCancelled = new V1.ItemCancelled { Item = $"I-{i}" } };
            producer.Send("payments", payment.ToByteArray(), 1_775_000_000_000 + i);
        }
        producer.Flush();
    }

    /// <summary>The mock keeps some 5 MiB a partition.</summary>
    /// <param name="each">Called when a record has been sent, with how many that were.</param>
    private void DeleteByRetention(Action<int>? each = null)
    {
        using var producer = new ForeignProducer(cluster.Bootstrap, Prefix, Confluent.Kafka.Partitioner.Murmur2Random);
        for (int i = 0; i < 10; i++)
        {
            producer.Send("payments", "default/D-1", new byte[900_000], "application/x-protobuf", 1_775_000_000_000);
            producer.Flush();
            each?.Invoke(i + 1);
        }
    }
}
