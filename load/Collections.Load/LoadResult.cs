namespace Collections.Load;

/// <summary>The figures of one class of request. Latencies count from the planned time, in milliseconds, failures included.</summary>
/// <param name="Failed">Planned − Ok; by status in <paramref name="FailedBy"/>.</param>
/// <param name="PlannedPerSecond">On average over the plan's duration; reports fall due after it, and count until the last of them.</param>
/// <param name="AchievedPerSecond">Good answers a second, over the same time, or until the last answer if that came later.</param>
/// <param name="LatenessP99Ms">How late the sender was for one request in a hundred, waiting for a place in flight aside.</param>
internal sealed record ClassResult(
    string Request, long Planned, long Sent, long Ok, long Failed, IReadOnlyDictionary<string, long> FailedBy, double PlannedPerSecond, double AchievedPerSecond,
    double P50Ms, double P90Ms, double P99Ms, double P999Ms, double MaxMs, double LatenessP99Ms, double LatenessMaxMs)
{
    public static ClassResult Of(RequestClass kind, Tally tally, int seconds) => new(
        kind.ToString().ToLowerInvariant(), tally.Planned, tally.Sent, tally.Ok, tally.Failed, tally.Failures.ToDictionary(static f => f.Key, static f => f.Value.Count),
        Math.Round(tally.Planned / Math.Max(seconds, tally.LastPlannedMicros / 1e6), 1), Math.Round(tally.Ok / Math.Max(seconds, tally.LastAnswerMicros / 1e6), 1),
        tally.Latency.At(0.5) / 1e3, tally.Latency.At(0.9) / 1e3, tally.Latency.At(0.99) / 1e3, tally.Latency.At(0.999) / 1e3, tally.Latency.Max / 1e3,
        tally.Lateness.At(0.99) / 1e3, tally.Lateness.Max / 1e3);
}

/// <summary>What a run found out.</summary>
/// <param name="Hardware">What it was measured on: the generator's machine, and how busy it was before.</param>
/// <param name="PlanHash">Equal for equal plans.</param>
/// <param name="EventsAcknowledged">Events of appends that were acknowledged whole.</param>
/// <param name="PullsShort">Pulls that were given less than they asked for: the queues ran low.</param>
/// <param name="LeasesVoided">Reports that met a lease which a payment or the like had voided.</param>
/// <param name="LeasesTwice">Leases whose id had been handed out before; must be 0.</param>
/// <param name="DebtorsTwice">Debtors who were in two open leases; must be 0.</param>
/// <param name="DeadLetters">Events that the nodes could not apply, other callers' included; must be 0. Null: no node says, or one does not answer.</param>
/// <param name="Examples">What was said about failures, the first of each kind.</param>
internal sealed record LoadResult(
    string Scenario, string Target, string Hardware, int Seconds, int Seed, int Debtors, string PlanHash, IReadOnlyList<ClassResult> Requests, long EventsPlanned, long EventsAcknowledged,
    long ActionsPulled, long PullsShort, long LeasesVoided, long LeasesTwice, long DebtorsTwice, long? DeadLetters, IReadOnlyList<string> Examples)
{
    /// <summary>Every request was answered well, and no answer contradicts another.</summary>
    public bool Passed => Requests.All(static r => r.Failed == 0) && LeasesTwice + DebtorsTwice + (DeadLetters ?? 0) == 0 && EventsAcknowledged == EventsPlanned;

    /// <summary>The sender was so late that the figures are its own as much as the target's.</summary>
    public bool GeneratorFellBehind => Requests.Any(static r => r.LatenessP99Ms > Limits.LatenessMsMax);
}
