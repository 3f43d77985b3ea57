using System.Diagnostics;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;

namespace Collections.Engine.Hosting;

/// <summary>What became of an event at the door.</summary>
public enum IntakeStatus
{
    /// <summary>Not taken; the error says why.</summary>
    Refused,

    /// <summary>In the log; not yet applied when the caller's time was up.</summary>
    Durable,
    Applied,
}

/// <summary>Where an event went, or why it was refused.</summary>
public readonly record struct IntakeResult(IntakeStatus Status, EventError Error, int Partition, EventStream Stream, long Offset);

/// <summary>The door for events: checks each, puts it into the log at its debtor's partition, and waits until it is applied.</summary>
public sealed class Intake
{
    private readonly Node node;

    internal Intake(Node node) => this.node = node;

    /// <summary>
    /// Waits until a partition that runs elsewhere has applied everything before the positions; false: that can't be found out, or not by the time. Set
    /// once, before the first event.
    /// </summary>
    public Func<int, StreamPositions, CancellationToken, Task<bool>> AppliedElsewhere { get; set; } = static (_, _, _) => Task.FromResult(false);

    /// <summary>Appends events in wire form; bad ones are refused one by one and the others go in.</summary>
    /// <param name="waitApplied">Wait until the events are applied, or the token is cancelled; otherwise only until they are durable.</param>
    /// <exception cref="LogUnavailableException">Nothing was acknowledged.</exception>
    public async Task<IntakeResult[]> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> events, bool waitApplied, CancellationToken cancellation)
    {
        var batch = new AppendBatch();
        var results = new IntakeResult[events.Count];
        var places = new int[events.Count];
        for (int i = 0; i < events.Count; i++)
        {
            places[i] = Admit(events[i].Span, batch, out EventError error) ? batch.Count - 1 : -1;
            results[i] = new IntakeResult(IntakeStatus.Refused, error, -1, default, -1);
        }
        bool applied = batch.Count == 0 || await PutAsync(batch, waitApplied, cancellation);
        node.Meters.OnTaken(batch.Count, events.Count - batch.Count);
        for (int i = 0; i < places.Length; i++)
        {
            int place = places[i];
            if (place >= 0)
            {
                results[i] = new IntakeResult(
                    applied ? IntakeStatus.Applied : IntakeStatus.Durable, default, batch.PartitionOf(place), batch.StreamOf(place), batch.OffsetOf(place));
            }
        }
        return results;
    }

    /// <returns>Whether the events are applied, and not only durable.</returns>
    private async Task<bool> PutAsync(AppendBatch batch, bool waitApplied, CancellationToken cancellation)
    {
        using Activity? span = NodeMeters.Spans.StartActivity("append");
        span?.SetTag("collections.events", batch.Count);
        long began = node.Cadence.GetTimestamp();
        try
        {
            await node.Log.AppendAsync(batch, CancellationToken.None);
        }
        catch (LogUnavailableException unavailable)
        {
            node.Meters.OnFailure(FailedOperation.Append);
            span?.SetStatus(ActivityStatusCode.Error, unavailable.Message);
            throw;
        }
        node.Meters.AppendDurable.Record(node.Cadence.GetElapsedTime(began).TotalSeconds);
        span?.AddEvent(new ActivityEvent("durable"));
        if (!waitApplied || !await WaitAppliedAsync(batch, cancellation))
            return false;
        node.Meters.AppendApplied.Record(node.Cadence.GetElapsedTime(began).TotalSeconds);
        return true;
    }

    private bool Admit(ReadOnlySpan<byte> whole, AppendBatch into, out EventError error)
    {
        long nowMs = node.NowMs;
        if (!EventReader.TryRead(whole, nowMs, history: false, out Event e, out error) || !BodyReader.Check(e, out error))
            return false;
        if (e.Head.Kind == EventKind.ImportEnded)
        {
            error = new EventError("body", "ImportEnded is the import's own; it is not taken here");
            return false;
        }
        long knownMs = nowMs;
        bool history = false;
        Span<byte> content = whole.Length <= 1024 ? stackalloc byte[whole.Length] : new byte[whole.Length];
        int length = EventReader.StripDelivery(whole, content, ref knownMs, ref history);
        if (history)
        {
            error = new EventError("history", "is set, but a bulk import of history goes in by `collections import`, which also ends it; leave the field out");
            return false;
        }
        into.Add(
            DebtorKey.PartitionOf(e.Head.Tenant, e.Head.Debtor, node.PartitionCount), e.Head.Stream, DebtorKey.HashOf(e.Head.Tenant, e.Head.Debtor),
            Math.Min(knownMs, nowMs), history: false, content[..length]);
        return true;
    }

    private async Task<bool> WaitAppliedAsync(AppendBatch batch, CancellationToken cancellation)
    {
        var targets = new Dictionary<int, StreamPositions>();
        for (int i = 0; i < batch.Count; i++)
        {
            StreamPositions target = targets.GetValueOrDefault(batch.PartitionOf(i));
            EventStream stream = batch.StreamOf(i);
            targets[batch.PartitionOf(i)] = target.With(stream, Math.Max(target[stream], batch.OffsetOf(i) + 1));
        }
        bool[] applied = await Task.WhenAll(targets.Select(t => WaitAppliedAsync(t.Key, t.Value, cancellation)));
        return Array.TrueForAll(applied, static done => done);
    }

    private async Task<bool> WaitAppliedAsync(int partition, StreamPositions target, CancellationToken cancellation)
    {
        try
        {
            await node.WaitAppliedAsync(partition, target, cancellation);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (PartitionElsewhereException)
        {
            return await AppliedElsewhere(partition, target, cancellation);
        }
        catch (InvalidOperationException)
        {
            // The partition has stopped, or the node is shutting down: the events are safe in the log.
            return false;
        }
    }
}
