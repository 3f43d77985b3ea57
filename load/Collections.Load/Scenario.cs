namespace Collections.Load;

/// <summary>What a run simulates: which requests come when, and how many unless the options say otherwise.</summary>
/// <param name="EventRate">Events a second on average; 0: none are appended.</param>
/// <param name="Batch">Events of one append.</param>
/// <param name="PullRate">Pulls a second on average; 0: nobody pulls, and nothing is reported.</param>
/// <param name="GetRate">Reads of one debtor a second on average; 0: none.</param>
internal sealed record Scenario(string Name, string Summary, int EventRate, int Batch, int PullRate, int GetRate, Func<LoadOptions, IEnumerable<Flow>> Flows)
{
    /// <summary>As in four settled months of the simulated book's own history.</summary>
    private static readonly EventMix Everyday = new(Invoices: 0.28, Payments: 0.23, Activity: 0.49);

    private static readonly EventMix PaymentsAlone = new(Invoices: 0, Payments: 1, Activity: 0);

    /// <summary>Bills are run at night, from one to five.</summary>
    private static readonly Curve BillRun = Curve.Even(0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>A third of the money comes with the bank's file between five and half past six, the rest from seven to twenty-two.</summary>
    private static readonly Curve Money = Curve.Of((5, 0), (1.5, 2 * 15 / 1.5), (0.5, 0), (15, 4), (2, 0));

    /// <summary>Calls, replies and promises: from seven to twenty-two, most in the forenoon and after work.</summary>
    private static readonly Curve Chatter = Curve.Even(0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 5, 4, 3, 3, 3, 3, 4, 5, 5, 4, 3, 1, 0, 0);

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("storm", "a file of payments arrives at once", EventRate: 20_000, Batch: 500, PullRate: 0, GetRate: 0, static o => [Append(o, PaymentsAlone, 1, Curve.Flat)]),
        new("day", "a steady day: bills at night, the bank's file in the morning, payments and activity by day", EventRate: 1_000, Batch: 10, PullRate: 0, GetRate: 0, static o => Day(o)),
        new("eight", "eight o'clock: all queues are pulled from the same second on, while payments trickle", EventRate: 100, Batch: 1, PullRate: 4, GetRate: 0, static o =>
            [Append(o, PaymentsAlone, 1, Curve.Flat), Calls(RequestClass.Pull, o, o.PullRate, EightOClock(o.Seconds))]),
        new("pulls", "a pull storm: batches of actions, and what became of each is reported", EventRate: 0, Batch: 1, PullRate: 5, GetRate: 0, static o =>
            [Calls(RequestClass.Pull, o, o.PullRate, Curve.Flat)]),
        new("mixed", "everything at once: events, pulls, reports, debtors looked at", EventRate: 2_000, Batch: 20, PullRate: 2, GetRate: 50, static o =>
            [Append(o, Everyday, 1, Curve.Flat), Calls(RequestClass.Pull, o, o.PullRate, Curve.Flat), Calls(RequestClass.Get, o, o.GetRate, Curve.Flat)]),
    ];

    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);

    private static IEnumerable<Flow> Day(LoadOptions options) =>
    [
        Append(options, new EventMix(1, 0, 0), Everyday.Invoices, BillRun),
        Append(options, PaymentsAlone, Everyday.Payments, Money),
        Append(options, new EventMix(0, 0, 1), Everyday.Activity, Chatter),
    ];

    /// <summary>Nobody for a quarter of the time; then everybody within one second, ten times as many as later.</summary>
    private static Curve EightOClock(int seconds) => Curve.Of((0.25 * seconds, 0), (Math.Min(1, 0.5 * seconds), 10), (Math.Max(0, 0.75 * seconds - 1), 1));

    private static Flow Append(LoadOptions options, EventMix mix, double share, Curve curve)
    {
        long events = Math.Max(1, (long)Math.Round(share * options.EventRate * options.Seconds));
        return new Flow(RequestClass.Append, (int)((events + options.Batch - 1) / options.Batch), events, mix, curve);
    }

    private static Flow Calls(RequestClass kind, LoadOptions options, int rate, Curve curve) => new(kind, rate * options.Seconds, 0, null, curve);
}
