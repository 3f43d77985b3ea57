using System.Text;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Publishing;
using Collections.Kafka.Topics;
using Confluent.Kafka;

namespace Collections.Kafka.Bridge;

/// <summary>
/// The bridge for topics that are keyed otherwise: reads events from them as a consumer group and puts each into the topic of its stream, on its debtor's
/// partition and under its debtor's key. Offsets are committed after the acknowledgement, so a record is passed on at least once; its id makes a repeat
/// harmless. What is no event goes to the dead letters.
/// </summary>
public sealed class Repartition : IDisposable
{
    private readonly KafkaLogOptions options;
    private readonly RepartitionPlan plan;
    private readonly int partitions;
    private readonly TimeProvider time;
    private readonly Warnings warnings;
    private readonly SourceReader reader;
    private readonly Appender appender;
    private readonly KafkaPublisher publisher;
    private readonly RecordDecoder decoder;

    // The batch at hand.
    private readonly AppendBatch decoded = new();
    private readonly AppendBatch events = new();
    private readonly List<OutboxMessage> letters = [];
    private readonly Dictionary<(string Topic, int Partition), long> next = [];

    /// <exception cref="KafkaRefusedException">The plan, settings or topics don't fit: the message says what to do.</exception>
    /// <exception cref="LogUnavailableException">Brokers can't be reached; try again.</exception>
    public Repartition(KafkaLogOptions options, RepartitionPlan plan, JsonReading json, TimeProvider time, Action<string> warn)
    {
        options.Check();
        plan.Check(options);
        this.options = options;
        this.plan = plan;
        this.time = time;
        warnings = new Warnings(warn, time);
        using (var admin = new KafkaTopicAdmin(options))
        {
            partitions = TopicSetup.PartitionsOf(admin, options);
            string[] missing = [.. plan.Sources.Except(admin.Describe(plan.Sources, withSettings: false).Select(static topic => topic.Name), StringComparer.Ordinal)];
            if (missing.Length > 0)
                throw new KafkaRefusedException($"--from: {string.Join(", ", missing)} {(missing.Length == 1 ? "is no topic" : "are no topics")} of {options.Bootstrap}");
        }
        decoder = new RecordDecoder(json);
        reader = new SourceReader(options, plan);
        appender = new Appender(options, static _ => { }, OnError, static (_, _, _) => { });
        publisher = new KafkaPublisher(options, partitions, static _ => { }, OnError);
    }

    public RepartitionTally Tally { get; } = new();

    /// <summary>Passes records on until it is cancelled, or until the end if the plan says so. It blocks its thread.</summary>
    public void Run(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested && !(plan.UntilEnd && reader.IsAtEnd))
        {
            Clear();
            int read = reader.Read(Limits.FetchBatch, Limits.FetchWaitMs, Take, problem => warnings.Say("source", $"Kafka: {problem}; it is tried again"));
            if (read == 0 || !Forward(cancellation))
                continue;
            var forwarded = new long[EventKinds.StreamCount];
            for (int i = 0; i < events.Count; i++)
                forwarded[(int)events.StreamOf(i)]++;
            Tally.Add(read, forwarded, letters.Count);
            if (reader.Commit(next.Select(static place => new SourcePlace(place.Key.Topic, place.Key.Partition, place.Value))) is { Length: > 0 } problem)
                warnings.Say("commit", $"offsets are not committed: {problem}; what has been passed on may be passed on again, which changes nothing");
        }
    }

    public void Dispose()
    {
        reader.Dispose();
        publisher.Dispose();
        appender.Dispose();
    }

    private void Clear()
    {
        decoded.Clear();
        events.Clear();
        letters.Clear();
        next.Clear();
    }

    private void Take(SourcePlace place, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ReadOnlySpan<byte> contentType, long timestampMs)
    {
        next[(place.Topic, place.Partition)] = place.Offset + 1;
        long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        ReadOnlySpan<byte> whole = value;
        string problem = "";
        if (plan.KeyField.Length > 0 && RecordDecoder.IsJson(contentType))
        {
            if (DebtorField.TryRename(value, plan.KeyField, out byte[] renamed, out problem))
                whole = renamed;
        }
        if (problem.Length == 0)
        {
            decoded.Clear();
            decoder.Decode(whole, contentType, timestampMs, nowMs, partition: 0, EventStream.Activity, place.Offset, decoded);
            problem = Admit();
        }
        if (problem.Length > 0)
            letters.Add(LetterOf(place, key, value, contentType, problem, nowMs));
    }

    /// <summary>Puts the event that was decoded where it belongs.</summary>
    /// <returns>Why it can't be; empty if it is.</returns>
    private string Admit()
    {
        ReadOnlySpan<byte> content = decoded.ContentOf(0);
        if (UndecodedRecord.TryRead(content, out string reason, out _))
            return reason;
        if (!EventReader.TryRead(content, decoded.KnownMsOf(0), decoded.IsHistory(0), out Event e, out EventError error))
            return error.ToString();
        if (e.Head.Kind == EventKind.ImportEnded)
            return "is an ImportEnded, which is an import's own and is not passed on";
        events.Add(
            DebtorKey.PartitionOf(e.Head.Tenant, e.Head.Debtor, partitions), e.Head.Stream, DebtorKey.HashOf(e.Head.Tenant, e.Head.Debtor),
            decoded.KnownMsOf(0), decoded.IsHistory(0), content);
        return "";
    }

    private static OutboxMessage LetterOf(SourcePlace place, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ReadOnlySpan<byte> contentType, string reason, long nowMs)
    {
        int kept = Math.Min(value.Length, Engine.Limits.DeadLetterBytesMax);
        return new OutboxMessage(key.IsEmpty ? null : key.ToArray(), value[..kept].ToArray(), DeadLetterForm.HeadersOf(
            id: "", reason, place.Topic, place.Partition, place.Offset, nowMs,
            contentType.IsEmpty ? "application/json" : Encoding.UTF8.GetString(contentType), fullLength: kept < value.Length ? value.Length : 0));
    }

    /// <summary>Has the batch acknowledged, however long that takes.</summary>
    /// <returns>False when it was cancelled before: part of it may have been passed on, and comes again.</returns>
    private bool Forward(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                Task appending = events.Count == 0 ? Task.CompletedTask : appender.AppendAsync(events, cancellation);
                Task.WhenAll([appending, .. letters.Select(publisher.PublishAsync)]).WaitAsync(cancellation).GetAwaiter().GetResult();
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
            catch (LogUnavailableException unavailable)
            {
                warnings.Say("forward", $"{unavailable.Message} It is tried again until it is taken");
                if (cancellation.WaitHandle.WaitOne(Limits.BridgeRetryMs))
                    return false;
            }
        }
    }

    private void OnError(Error error)
    {
        if (error.Code is not (ErrorCode.Local_Transport or ErrorCode.Local_TimedOut))
            warnings.Say(error.Code.ToString(), $"Kafka at {options.Bootstrap}: {error.Reason}");
    }
}
