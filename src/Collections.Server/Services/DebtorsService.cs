using System.Reflection;
using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Server.Access;
using Collections.Server.Cluster;
using Collections.V1;
using Grpc.Core;

namespace Collections.Server.Services;

/// <summary>One debtor in full, and how the node stands.</summary>
public sealed class DebtorsService(Node node, Router router, PeerDirectory directory) : Debtors.DebtorsBase
{
    /// <summary>Events shown at most.</summary>
    private const int EventsMax = 1_000;

    public override async Task<DebtorView> Get(GetDebtorRequest request, ServerCallContext context)
    {
        string tenant = AccessPoint.Tenant(context, request.Tenant);
        if (request.LastEvents is < 0 or > EventsMax)
            throw Wire.Invalid("last_events", $"must be 0 to {EventsMax}", request.LastEvents);
        string language = ReasonTexts.Language(request.Language);
        byte[] tenantBytes = Encoding.UTF8.GetBytes(tenant), debtor = Encoding.UTF8.GetBytes(request.Debtor);
        int partition = DebtorKey.PartitionOf(tenantBytes, debtor, node.PartitionCount);
        return await router.RouteAsync(
            partition, context, () => Get(request, tenant, partition, tenantBytes, debtor, language), (peer, options) => new Debtors.DebtorsClient(peer.Channel).GetAsync(request, options).ResponseAsync);
    }

    private async Task<DebtorView> Get(GetDebtorRequest request, string tenant, int partition, byte[] tenantBytes, byte[] debtor, string language)
    {
        (DebtorSnapshot? snapshot, StreamPositions until) = await Ask(() => node.Ask(partition, p => (p.View.Debtor(tenantBytes, debtor), p.Positions)));
        if (snapshot is null)
            throw new RpcException(new Status(StatusCode.NotFound, $"tenant '{tenant}' has no debtor '{request.Debtor}'"));
        DebtorView view = Describe(snapshot, language);
        DebtorReasons.Add(view, snapshot, language, request.Contributions);
        if (request.LastEvents > 0)
            AddEvents(view, partition, tenantBytes, debtor, until, request.LastEvents);
        return view;
    }

    public override async Task<StatusResponse> Status(StatusRequest request, ServerCallContext context)
    {
        Engine.Scoring.ScoringModel? model = node.Models.Current.Propensity;
        var response = new StatusResponse { Version = VersionText, Model = model?.Name ?? "", ModelVersion = model?.Version ?? "", Now = Wire.Instant(node.NowMs) };
        (List<StatusResponse> others, List<string> silent) = await router.AskOthersAsync(context, (peer, options) => new Debtors.DebtorsClient(peer.Channel).StatusAsync(request, options).ResponseAsync);
        foreach (StatusResponse other in others)
            Add(response, other);
        HashSet<int> told = [.. response.Partitions.Select(static partition => partition.Partition)];
        for (int number = 0; number < node.PartitionCount; number++)
        {
            (PartitionState state, string reason) = (node.StateOf(number), node.ReasonOf(number));
            if (state != PartitionState.Elsewhere)
                response.Partitions.Add(await Describe(response, number, state, reason));
            else if (!told.Contains(number) && !Router.IsForwarded(context))
                response.Partitions.Add(Unheard(number, silent));
        }
        PartitionStatus[] inOrder = [.. response.Partitions.OrderBy(static partition => partition.Partition)];
        response.Partitions.Clear();
        response.Partitions.AddRange(inOrder);
        return response;
    }

    private static void Add(StatusResponse to, StatusResponse other)
    {
        to.Debtors += other.Debtors;
        to.EventsApplied += other.EventsApplied;
        to.Duplicates += other.Duplicates;
        to.DeadLetters += other.DeadLetters;
        to.Parked += other.Parked;
        to.OpenLeases += other.OpenLeases;
        to.Partitions.AddRange(other.Partitions);
    }

    /// <summary>A partition that runs here, which is added to the sums.</summary>
    private async Task<PartitionStatus> Describe(StatusResponse sums, int number, PartitionState state, string reason)
    {
        var status = new PartitionStatus { Partition = number, State = state.ToString().ToLowerInvariant(), Reason = reason, Node = directory.IsShared ? node.Owner : "" };
        status.LogEnd.Add(Numbers(node.Log.End(number)));
        if (state is PartitionState.Stopped or PartitionState.Leaving || !node.Owned.Contains(number))
            return status;
        PartitionFigures figures;
        try
        {
            figures = await Ask(() => node.Ask(number, PartitionFigures.Of));
        }
        catch (PartitionElsewhereException)
        {
            status.State = nameof(PartitionState.Leaving).ToLowerInvariant();
            return status;
        }
        status.Debtors = figures.Debtors;
        status.Applied.Add(Numbers(figures.Applied));
        status.Checkpointed.Add(Numbers(figures.Checkpointed));
        status.ClockDelayMs = Math.Max(0, node.NowMs - figures.ClockMs);
        sums.Debtors += figures.Debtors;
        sums.EventsApplied += figures.Counters.Applied;
        sums.Duplicates += figures.Counters.Duplicates;
        sums.DeadLetters += figures.Counters.DeadLetters;
        sums.Parked += figures.ParkedNow;
        sums.OpenLeases += figures.OpenLeases;
        return status;
    }

    /// <summary>A partition of which no node has told anything.</summary>
    private PartitionStatus Unheard(int number, List<string> silent)
    {
        string owner = directory.OwnerOf(number)?.Address ?? "";
        return new PartitionStatus
        {
            Partition = number,
            State = owner.Length == 0 ? "unowned" : "unheard",
            Node = owner,
            Reason = owner.Length == 0 ? "no node runs it: it is on its way to one, or all are away"
                : silent.Find(said => said.Contains(owner, StringComparison.Ordinal)) ?? $"node {owner} is said to run it, and does not tell of it",
        };
    }

    /// <summary>The version of this program.</summary>
    public static string VersionText => typeof(DebtorsService).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private DebtorView Describe(DebtorSnapshot snapshot, string language)
    {
        RegisteredModel? model = node.Models.Find(snapshot.Acted.ModelVersion), riskModel = node.Models.Find(snapshot.Acted.RiskModelVersion);
        var view = new DebtorView
        {
            Tenant = snapshot.Tenant,
            Debtor = snapshot.Name,
            Portfolio = snapshot.Portfolio,
            Currency = snapshot.Facts.Currency.IsNone ? "" : snapshot.Facts.Currency.ToString(),
            UnappliedCreditMinor = snapshot.Facts.UnappliedMinor,
            OpenMinor = snapshot.Facts.OpenMinor,
            OverdueMinor = snapshot.Facts.OverdueMinor,
            Propensity = snapshot.Acted.Propensity,
            Model = model?.Manifest.Name ?? "",
            ModelVersion = model?.Manifest.Version ?? "",
            PreDueRisk = snapshot.Acted.ScoredAtMs == 0 ? double.NaN : snapshot.Acted.PreDueRisk,
            RiskModel = riskModel?.Manifest.Name ?? "",
            RiskModelVersion = riskModel?.Manifest.Version ?? "",
            Parked = snapshot.IsParked,
            Stage = snapshot.Acted.Stage,
            NotQueuedBecause = snapshot.Standing is null ? WhyNotQueued(snapshot) : "",
        };
        if (snapshot.Acted.ScoredAtMs > 0)
            view.ScoredAt = Wire.Instant(snapshot.Acted.ScoredAtMs);
        foreach (ItemSnapshot item in snapshot.Items)
            view.Items.Add(Describe(item));
        foreach (PromiseSnapshot promise in snapshot.Promises)
            view.Promises.Add(Describe(promise));
        for (int i = 0; i < snapshot.Features.Length; i++)
            view.Features.Add(new FeatureValue { Name = FeatureCatalogue.Names[i], Value = snapshot.Features[i] });
        if (snapshot.Standing is { } standing)
            view.QueueEntry = Describe(standing, language);
        return view;
    }

    private static V1.ItemView Describe(ItemSnapshot item) => new()
    {
        Item = item.Name,
        Component = item.Component switch { Domain.Events.Component.Fee => V1.Component.Fee, Domain.Events.Component.Interest => V1.Component.Interest, _ => V1.Component.Principal },
        Amount = new Money { MinorUnits = item.AmountMinor, Currency = item.Currency.ToString() },
        OpenMinor = item.OpenMinor,
        IssueDate = item.Issued.ToString(),
        DueDate = item.Due.ToString(),
        DaysPastDue = item.Dpd,
    };

    private static V1.PromiseView Describe(PromiseSnapshot promise) => new()
    {
        Promise = promise.Name,
        AmountMinor = promise.AmountMinor,
        PaidMinor = promise.PaidMinor,
        Made = promise.Made.ToString(),
        DueDate = promise.Due.ToString(),
        State = promise.State.ToString().ToLowerInvariant(),
    };

    private static QueueEntryView Describe(QueueStanding standing, string language)
    {
        var entry = new QueueEntryView { Queue = standing.Queue, Value = standing.Value, Lease = standing.Lease };
        entry.Reasons.Add(ReasonTexts.Describe(standing.Reasons, language));
        if (standing.EligibleSinceMs > 0)
            entry.EligibleSince = Wire.Instant(standing.EligibleSinceMs);
        if (standing.LeaseExpiresMs > 0)
            entry.LeaseExpires = Wire.Instant(standing.LeaseExpiresMs);
        return entry;
    }

    private static string WhyNotQueued(DebtorSnapshot snapshot) =>
        snapshot.IsParked ? "parked: its history is being read"
        : snapshot.IsQuiet ? "imported history has not been ended"
        : snapshot.Eligibility switch
        {
            Strategy.Eligibility.NothingOverdue => "nothing is overdue",
            Strategy.Eligibility.Disputed => "in dispute",
            Strategy.Eligibility.OnHold => "on hold",
            Strategy.Eligibility.PromiseOpen => "a promise is open",
            Strategy.Eligibility.Resting => "contacted within the last 24 hours",
            Strategy.Eligibility.CoveredByCredit => "credit in hand covers what is overdue",
            _ => "not evaluated yet",
        };

    private void AddEvents(DebtorView view, int partition, byte[] tenant, byte[] debtor, StreamPositions until, int count)
    {
        var records = new RecordBatch();
        try
        {
            node.Log.ReadHistory(partition, DebtorKey.HashOf(tenant, debtor), until, records);
        }
        catch (LogUnavailableException unavailable)
        {
            throw Wire.Unavailable(unavailable);
        }
        catch (HistoryLostException lost)
        {
            view.EventsMissing = lost.Message;
        }
        var events = new List<(long KnownMs, EventView View)>();
        for (int i = 0; i < records.Count; i++)
        {
            LogRecord record = records[i];
            V1.Event e = V1.Event.Parser.ParseFrom(record.Content);
            if (e.Debtor != view.Debtor || (e.Tenant.Length == 0 ? "default" : e.Tenant) != view.Tenant)
                continue;
            e.Known = Wire.Instant(record.KnownMs);
            e.History = record.History;
            events.Add((record.KnownMs, new EventView { Stream = IngestService.NameOf(record.Stream), Offset = record.Offset, Event = e }));
        }
        view.LastEvents.AddRange(events.OrderByDescending(e => e.KnownMs).ThenByDescending(e => e.View.Offset).Take(count).Select(e => e.View));
    }

    private static long[] Numbers(StreamPositions positions) => [positions.Invoices, positions.Payments, positions.Activity];

    private static async Task<T> Ask<T>(Func<Task<T>> question)
    {
        try
        {
            return await question();
        }
        catch (InvalidOperationException failure) when (failure is not PartitionElsewhereException)
        {
            throw Wire.Unavailable(failure);
        }
    }

    /// <summary>What a partition says of itself, taken on its own thread.</summary>
    private readonly record struct PartitionFigures(
        int Debtors, StreamPositions Applied, StreamPositions Checkpointed, long ClockMs, Engine.Stores.PartitionCounters Counters, int ParkedNow, int OpenLeases)
    {
        public static PartitionFigures Of(Partition p) =>
            new(p.View.DebtorCount, p.Positions, p.Checkpoints.Committed, p.ClockMs, p.Counters, p.ParkedCount, p.View.OpenLeaseCount);
    }
}
