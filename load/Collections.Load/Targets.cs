using System.Net;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Kafka;
using Collections.Server.Hosting;
using Collections.V1;
using Confluent.Kafka;
using Grpc.Core;
using Grpc.Net.Client;

namespace Collections.Load;

/// <summary>How a call ended: an empty reason is success.</summary>
/// <param name="Failure">A short name under which failures are counted, such as a gRPC status.</param>
/// <param name="Detail">What was said about it.</param>
internal readonly record struct Outcome(string Failure, string Detail)
{
    public static readonly Outcome Ok = new("", "");
}

/// <summary>Where events go.</summary>
internal interface IEventTarget
{
    /// <summary>Ends when every event of the batch is acknowledged, or with the reason why one is not.</summary>
    Task<Outcome> AppendAsync(EventBatch batch, bool durable);
}

/// <summary>Nodes that are called over gRPC, each request the next one's.</summary>
internal sealed class NodeCalls(IReadOnlyList<Uri> addresses, string tenant, TimeSpan timeout) : IEventTarget, IDisposable
{
    /// <summary>The generated client's method with requests that are written already.</summary>
    private static readonly Method<byte[], AppendResponse> AppendMethod = new(
        MethodType.Unary, "collections.v1.Ingest", "Append",
        Marshallers.Create(static request => request, static bytes => bytes),
        Marshallers.Create(static _ => throw new InvalidOperationException("answers are only read"), AppendResponse.Parser.ParseFrom));

    private readonly GrpcChannel[] channels = [.. addresses.Select(static address => GrpcChannel.ForAddress(address))];
    private int calls;

    public async Task<Outcome> AppendAsync(EventBatch batch, bool durable)
    {
        AppendResponse response = await Next().AsyncUnaryCall(AppendMethod, null, Deadline(), batch.ToRequest(durable));
        if (response.Results.Count != batch.Count)
            return new Outcome("NotAcknowledged", $"{batch.Count} events were sent, {response.Results.Count} were answered");
        return response.Results.FirstOrDefault(static r => r.Status is not (AppendStatus.AppendApplied or AppendStatus.AppendDurable)) is { } refused
            ? new Outcome(refused.Status.ToString(), refused.Reason)
            : Outcome.Ok;
    }

    public async Task<PullResponse> PullAsync(string queue, int count, bool withoutReasons) => await new Queues.QueuesClient(Next()).PullAsync(
        new PullRequest { Tenant = tenant, Queue = queue, Count = count, Caller = "load", LeaseSeconds = Limits.LeaseSeconds, WithoutReasons = withoutReasons }, Deadline());

    public async Task<V1.LeaseAnswer> ReportAsync(string lease, V1.AttemptOutcome outcome) =>
        await new Queues.QueuesClient(Next()).ReportAsync(new ReportRequest { Lease = lease, Outcome = outcome }, Deadline());

    public async Task GetAsync(string debtor) =>
        await new Debtors.DebtorsClient(Next()).GetAsync(new GetDebtorRequest { Tenant = tenant, Debtor = debtor }, Deadline());

    public async Task<IReadOnlyList<QueueSummary>> QueuesAsync() =>
        (await new Queues.QueuesClient(Next()).ListQueuesAsync(new ListQueuesRequest { Tenant = tenant }, Deadline())).Queues;

    /// <summary>Dead letters of all nodes, other tenants' included: each node tells them of all; null: it does not say.</summary>
    public async Task<long?> DeadLettersAsync()
    {
        try
        {
            return (await new Debtors.DebtorsClient(Next()).StatusAsync(new StatusRequest(), Deadline())).DeadLetters;
        }
        catch (RpcException)
        {
            return null;
        }
    }

    public override string ToString() => string.Join(", ", addresses);

    public void Dispose()
    {
        foreach (GrpcChannel channel in channels)
            channel.Dispose();
    }

    private CallInvoker Next() => channels[(uint)Interlocked.Increment(ref calls) % (uint)channels.Length].CreateCallInvoker();

    private CallOptions Deadline() => new(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + timeout);
}

/// <summary>The topics of a Kafka cluster, written as a producer of events would: murmur2 of <c>tenant/debtor</c>, protobuf by header, all replicas.</summary>
internal sealed class KafkaTopics : IEventTarget, IDisposable
{
    private static readonly Headers ProtobufHeaders = new() { { "content-type", "application/x-protobuf"u8.ToArray() } };

    private readonly KafkaLogOptions options;
    private readonly IProducer<byte[], byte[]> producer;

    /// <exception cref="KafkaRefusedException">librdkafka is missing, or refuses a setting.</exception>
    public KafkaTopics(KafkaLogOptions options, TimeSpan timeout)
    {
        RdKafkaLibrary.Require();
        this.options = options;
        try
        {
            var config = new ProducerConfig
            {
                BootstrapServers = options.Bootstrap,
                Acks = Acks.All,
                EnableIdempotence = true,
                Partitioner = Partitioner.Murmur2Random,
                LingerMs = 1,
                MessageTimeoutMs = (int)timeout.TotalMilliseconds,
                QueueBufferingMaxMessages = 2_000_000,
                DeliveryReportFields = "none",
            };
            foreach ((string key, string value) in options.Settings)
                config.Set(key, value);
            producer = new ProducerBuilder<byte[], byte[]>(config).SetLogHandler(static (_, _) => { }).Build();
        }
        catch (Exception refused) when (refused is InvalidOperationException or ArgumentException or KafkaException)
        {
            throw new KafkaRefusedException($"librdkafka refuses a setting: {refused.Message.TrimEnd('.')}; mend it in --kafka-config", refused);
        }
    }

    /// <param name="durable">Of no meaning here: what Kafka acknowledges is durable, and nobody says when it is applied.</param>
    public Task<Outcome> AppendAsync(EventBatch batch, bool durable)
    {
        var answered = new TaskCompletionSource<Outcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        int left = batch.Count;
        Error? failed = null;
        void CountDown(Error? error)
        {
            if (error is { IsError: true })
                failed = error;
            if (Interlocked.Decrement(ref left) == 0)
                answered.SetResult(failed is null ? Outcome.Ok : new Outcome(failed.Code.ToString(), failed.Reason));
        }
        for (int i = 0; i < batch.Count; i++)
        {
            var message = new Message<byte[], byte[]> { Key = batch.KeyOf(i), Value = batch.EventOf(i), Headers = ProtobufHeaders };
            try
            {
                producer.Produce(options.TopicOf(batch.StreamOf(i)), message, report => CountDown(report.Error));
            }
            catch (KafkaException refused)
            {
                CountDown(refused.Error);
            }
        }
        return answered.Task;
    }

    public override string ToString() => $"Kafka at {options.Bootstrap}";

    public void Dispose() => producer.Dispose();
}

/// <summary>A node of the embedded default, for one run.</summary>
internal sealed class EmbeddedNode : IAsyncDisposable
{
    private readonly IEventLog log;
    private readonly IStore store;
    private readonly NodeServer server;

    private EmbeddedNode(IEventLog log, IStore store, NodeServer server)
    {
        this.log = log;
        this.store = store;
        this.server = server;
    }

    public Uri Address => server.Address;

    public static async Task<EmbeddedNode> StartAsync(DataDirectory directory, Action<string> warn)
    {
        IEventLog log = directory.OpenLog(null, TimeProvider.System);
        IStore store = directory.OpenStore();
        var options = new EngineOptions { Model = ShippedModel.Propensity(), Owner = "load" };
        return new EmbeddedNode(log, store, await NodeServer.StartAsync(log, store, options, TimeProvider.System, new IPEndPoint(IPAddress.Loopback, 0), warn));
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        store.Dispose();
        log.Dispose();
    }
}
