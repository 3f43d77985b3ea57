using System.Globalization;
using System.Runtime.InteropServices;
using Collections.Domain;
using Collections.Server.Hosting;
using Collections.V1;
using Grpc.Core;

namespace Collections.Load;

/// <summary>
/// One run: a tenant of its own gets a book of debtors; then the plan's requests go out. What is pulled is reported: each action after a handling
/// time, counted from the answer that handed it out.
/// </summary>
internal sealed class LoadRun : IDisposable
{
    private readonly LoadOptions options;
    private readonly Action<string> say;
    private readonly Plan plan;
    private readonly Book book;
    private readonly NodeCalls? nodes;
    private readonly KafkaTopics? topics;
    private readonly IEventTarget events;
    private readonly LeaseBook leases = new();
    private readonly Sender sender;
    private string[] queues = [];
    private long eventsAcknowledged;
    private long pullsShort;

    private LoadRun(LoadOptions options, IReadOnlyList<Uri> addresses, string tenant, Action<string> say)
    {
        this.options = options;
        this.say = say;
        plan = options.ToPlan();
        book = new Book(options, tenant, Day.OfMs(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()));
        TimeSpan timeout = TimeSpan.FromSeconds(options.TimeoutSeconds);
        nodes = addresses.Count > 0 ? new NodeCalls(addresses, tenant, timeout) : null;
        topics = options.Kafka is null ? null : new KafkaTopics(options.Kafka, timeout);
        events = topics ?? (IEventTarget)nodes!;
        sender = new Sender(plan, Prepare, options.InFlight, options.TimeoutSeconds * 1_000_000L, TimeProvider.System, Pause.For);
    }

    /// <summary>Runs a load on the target that the options name.</summary>
    /// <param name="say">Told of every step, and of progress.</param>
    /// <exception cref="RpcException">The nodes can't be reached, or can't be filled.</exception>
    public static async Task<LoadResult> RunAsync(LoadOptions options, Action<string> say, CancellationToken cancellation)
    {
        if (options.Target != TargetKind.Embedded)
        {
            // A tenant that nobody else has, so that no real debtor is handed out, and no event of an earlier run is met again.
            string tenant = TimeProvider.System.GetUtcNow().ToString("'load-'yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
            using var run = new LoadRun(options, options.Addresses, tenant, say);
            return await run.RunAsync(cancellation);
        }
        string directory = Directory.CreateTempSubdirectory("collections-load-").FullName;
        try
        {
            await using EmbeddedNode node = await EmbeddedNode.StartAsync(new DataDirectory(directory), say);
            using var run = new LoadRun(options, [node.Address], "load", say);
            return await run.RunAsync(cancellation);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    public void Dispose()
    {
        nodes?.Dispose();
        topics?.Dispose();
    }

    private async Task<LoadResult> RunAsync(CancellationToken cancellation)
    {
        string machine = Report.Machine();
        foreach (string line in Report.PlanLines(options, plan, machine))
            say(line);
        await FillAsync(cancellation);
        long? deadBefore = nodes is null ? null : await nodes.DeadLettersAsync();
        await SendAsync(cancellation);
        long? deadLetters = nodes is null ? null : await nodes.DeadLettersAsync() - deadBefore;
        if (options.HistogramFile is { } file)
            WriteHistograms(file);
        RequestClass[] kinds = [.. Enum.GetValues<RequestClass>().Where(kind => sender.Of(kind).Planned > 0)];
        string[] examples = [.. from kind in kinds from failure in sender.Of(kind).Failures select $"{kind.ToString().ToLowerInvariant()}: {failure.Key}: {failure.Value.Example}"];
        return new LoadResult(
            options.Scenario.Name, options.Target.ToString().ToLowerInvariant(), machine, options.Seconds, options.Seed, book.DebtorCount,
            plan.Hash.ToString("x16", CultureInfo.InvariantCulture), [.. kinds.Select(kind => ClassResult.Of(kind, sender.Of(kind), options.Seconds))],
            plan.Flows.Sum(static f => f.Events), eventsAcknowledged, leases.Count, pullsShort, leases.Voided, leases.LeasesTwice, leases.DebtorsTwice, deadLetters, examples);
    }

    /// <summary>Gives the tenant its debtors: the next batch is written while the one before it is applied.</summary>
    private async Task FillAsync(CancellationToken cancellation)
    {
        say($"filling the book of tenant {book.Tenant}");
        long filled = 0;
        Task<Outcome> appending = Task.FromResult(Outcome.Ok);
        foreach (EventBatch? batch in book.History().Append<EventBatch?>(null))
        {
            cancellation.ThrowIfCancellationRequested();
            if (await appending is { Failure.Length: > 0 } refused)
                throw new IOException($"the book can't be filled through {events}: {refused.Failure}: {refused.Detail}");
            if (batch is null)
                break;
            appending = events.AppendAsync(batch, durable: false);
            filled += batch.Count;
        }
        if (plan.Flows.Any(static f => f.Class != RequestClass.Append))
            await FindQueuesAsync(cancellation);
        say(string.Create(CultureInfo.InvariantCulture, $"{book.DebtorCount:N0} debtors, {filled:N0} events of their past, {queues.Length} queues"));
    }

    /// <summary>What appends by gRPC have brought is applied. What Kafka took is on its way: it is there when the queues no longer grow.</summary>
    private async Task FindQueuesAsync(CancellationToken cancellation)
    {
        long giveUp = TimeProvider.System.GetTimestamp() + options.TimeoutSeconds * TimeProvider.System.TimestampFrequency;
        long waiting = -1;
        while (true)
        {
            IReadOnlyList<QueueSummary> found = await nodes!.QueuesAsync();
            long now = found.Sum(static q => q.Waiting);
            if (now > 0 && (topics is null || now == waiting))
            {
                queues = [.. found.Where(static q => q.Waiting > 0).Select(static q => q.Queue).Order(StringComparer.Ordinal)];
                return;
            }
            waiting = now;
            if (TimeProvider.System.GetTimestamp() > giveUp)
                throw new IOException($"nobody waits in the queues of tenant {book.Tenant} after {options.TimeoutSeconds} s: do the nodes at --address run on this log? Or take more --debtors");
            await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
        }
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        var sending = Task.Factory.StartNew(() => sender.Run(cancellation), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        using var timer = new PeriodicTimer(Limits.ProgressEvery);
        Task<bool> tick = timer.WaitForNextTickAsync(cancellation).AsTask();
        while (await Task.WhenAny(sending, tick) == tick)
        {
            tick = timer.WaitForNextTickAsync(cancellation).AsTask();
            IEnumerable<string> parts = Enum.GetValues<RequestClass>().Where(kind => sender.Of(kind).Planned > 0)
                .Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.ToString().ToLowerInvariant()} {sender.Of(kind).Ok:N0} of {sender.Of(kind).Planned:N0}, {sender.Of(kind).Failed:N0} failed"));
            say(string.Create(CultureInfo.InvariantCulture, $"{sender.NowMicros / 1e6:F0} s: {string.Join("; ", parts)}; {sender.InFlight:N0} in flight"));
        }
        await sending;
    }

    private Func<Task<Outcome>> Prepare(Planned request)
    {
        switch (plan.ClassOf(request))
        {
            case RequestClass.Append:
                EventBatch batch = book.Live(plan.EventsOf(request), plan.Flows[request.Flow].Mix!);
                return () => AppendAsync(batch);
            case RequestClass.Pull:
                // Dialers ask for the queues in turn.
                return () => PullAsync(queues[request.Number % queues.Length]);
            case RequestClass.Get:
                string debtor = book.NameOfAnyDebtor();
                return () => GetAsync(debtor);
            default:
                return () => ReportAsync(request.Number);
        }
    }

    private async Task<Outcome> AppendAsync(EventBatch batch)
    {
        Outcome outcome = await events.AppendAsync(batch, options.Durable);
        if (outcome.Failure.Length == 0)
            Interlocked.Add(ref eventsAcknowledged, batch.Count);
        return outcome;
    }

    private async Task<Outcome> PullAsync(string queue)
    {
        PullResponse response = await nodes!.PullAsync(queue, options.PullCount, options.WithoutReasons);
        if (response.Actions.Count < options.PullCount)
            Interlocked.Increment(ref pullsShort);
        long now = sender.NowMicros;
        foreach (V1.Action action in response.Actions)
        {
            int number = leases.Take(action);
            sender.Add(new Planned(now + HandlingMicros(number), Planned.FollowUp, number));
        }
        return Outcome.Ok;
    }

    private async Task<Outcome> ReportAsync(int number)
    {
        (string lease, Channel channel) = leases.Report(number);
        LeaseAnswer answer = await nodes!.ReportAsync(lease, OutcomeOf(channel, Draw(number, 1)));
        return leases.Answered(number, answer.Status, answer.Reason);
    }

    private async Task<Outcome> GetAsync(string debtor)
    {
        await nodes!.GetAsync(debtor);
        return Outcome.Ok;
    }

    private long HandlingMicros(int number) => (long)(1_000 * (Limits.HandlingMsMin + Draw(number, 0) * (Limits.HandlingMsMax - Limits.HandlingMsMin)));

    /// <summary>0 to 1, from the seed and the lease's number alone: of answers nobody knows in which order they come.</summary>
    private double Draw(int number, int purpose) => (Hash64.Of(MemoryMarshal.AsBytes<int>([options.Seed, number, purpose])) >> 11) / (double)(1L << 53);

    /// <summary>Every fourth call reaches the debtor; messages mostly arrive.</summary>
    private static AttemptOutcome OutcomeOf(Channel channel, double draw) => channel == Channel.Voice
        ? draw switch { < 0.25 => AttemptOutcome.RightParty, < 0.75 => AttemptOutcome.NoAnswer, < 0.9 => AttemptOutcome.Voicemail, _ => AttemptOutcome.Busy }
        : draw < 0.97 ? AttemptOutcome.Delivered : AttemptOutcome.Bounced;

    private void WriteHistograms(string file)
    {
        foreach (RequestClass kind in Enum.GetValues<RequestClass>().Where(kind => sender.Of(kind).Planned > 0))
        {
            using var into = new StreamWriter(Path.ChangeExtension(file, $"{kind.ToString().ToLowerInvariant()}.hgrm"));
            sender.Of(kind).Latency.Write(into);
        }
    }
}
