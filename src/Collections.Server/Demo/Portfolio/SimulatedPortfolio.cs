using System.Runtime.CompilerServices;
using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Demo.Portfolio;

/// <summary>What was written so far over all debtors, in minor units of the euro.</summary>
public struct PortfolioTotals
{
    public long IssuedMinor;
    public long CreditedMinor;
    public long ReceivedMinor;
    public long ReversedMinor;

    /// <summary>What the debtors owe together, what they paid too much taken off.</summary>
    public readonly long NetMinor => IssuedMinor - CreditedMinor - ReceivedMinor + ReversedMinor;
}

/// <summary>What is true of a simulated debtor, most of it hidden from the engine.</summary>
/// <param name="Propensity">0 to 1; all its decisions depend on it.</param>
/// <param name="NetMinor">What it owes; negative: what it paid too much.</param>
/// <param name="LastIssuedMinor">The amount of its newest bill; 0 before the first.</param>
public readonly record struct DebtorTruth(DebtorType Type, double Propensity, long NetMinor, long LastIssuedMinor, Channel Preferred);

/// <summary>
/// A portfolio of card debtors that exists only as a seed: months of history, written day by day, then live days, written tick by tick,
/// in which the debtors react to <see cref="Contact"/>. The same seed, debtors, months and first day give exactly the same events, and
/// one debtor's events depend on nobody else's. Days must be asked for in order. For one thread.
/// </summary>
public sealed class SimulatedPortfolio
{
    private readonly Draws draws;
    private readonly SimulatedDebtor[] debtors;

    // The next day on which a debtor's habits act, beside the records: finding out whom a day concerns reads 2 bytes a debtor, not 56.
    private readonly Day[] nextHabits;
    private readonly FollowUpQueue followUps;
    private readonly DayPlan plan;
    private readonly EventScribe scribe = new();
    private readonly DebtorLife life;
    private Day planned;
    private long writtenMs;

    /// <param name="debtors">1 to 4,194,304.</param>
    /// <param name="months">Calendar months of history, 1 to 72.</param>
    /// <param name="seed">Any number.</param>
    /// <param name="firstDay">The first day of the history; the first live day is so many months later.</param>
    public SimulatedPortfolio(int debtors, int months, ulong seed, Day firstDay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(debtors, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(debtors, PortfolioLimits.DebtorsMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(months, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(months, PortfolioLimits.HistoryMonthsMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(firstDay, PortfolioLimits.FirstDayMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstDay, PortfolioLimits.FirstDayMax);
        FirstDay = firstDay;
        FirstLiveDay = Day.Of(firstDay.ToDateOnly().AddMonths(months));
        draws = new Draws(seed);
        this.debtors = new SimulatedDebtor[debtors];
        nextHabits = new Day[debtors];
        for (int i = 0; i < debtors; i++)
        {
            this.debtors[i] = Population.Draw(draws, i, firstDay, months);
            nextHabits[i] = this.debtors[i].NextHabit;
        }
        plan = new DayPlan(firstDay);
        followUps = new FollowUpQueue(firstDay, debtors);
        life = new DebtorLife(draws, followUps, scribe);
        writtenMs = firstDay.StartMs;
    }

    public int DebtorCount => debtors.Length;

    public Day FirstDay { get; }

    public Day FirstLiveDay { get; }

    public PortfolioTotals Totals => life.Totals;

    /// <summary>Reactions, promised payments and the like whose instant is still to come.</summary>
    public int WaitingCount => followUps.Count;

    public int WaitingCountMax => followUps.CountMax;

    /// <summary>Bytes kept for each debtor, whatever waits in the queue left out.</summary>
    public static int BytesPerDebtor => Unsafe.SizeOf<SimulatedDebtor>() + Unsafe.SizeOf<Day>();

    public DebtorTruth TruthOf(int debtor)
    {
        ref readonly SimulatedDebtor s = ref debtors[debtor];
        long last = s.Issued == 0 ? 0 : Bills.AmountMinor(draws, s, debtor, s.Issued - 1);
        return new DebtorTruth(s.Type, s.Propensity, s.NetMinor, last, s.Preferred);
    }

    /// <summary>Writes all events of a day of the history, the creditor's own reminders and their results among them.</summary>
    public void WriteHistoryDay(Day day, EventSink sink)
    {
        PlanDay(day, withReminders: true);
        WriteUntil(day.EndMs, sink);
    }

    /// <summary>
    /// Writes the events of one part of a live day: what the debtors do by themselves, and their reactions to <see cref="Contact"/>. What fell
    /// due in ticks that were left out comes first.
    /// </summary>
    /// <param name="day">The day, not before the one asked for last.</param>
    /// <param name="tick">From 0.</param>
    /// <param name="ticksPerDay">Into how many equal parts the day is divided.</param>
    /// <param name="sink">Takes the events.</param>
    public void WriteLiveTick(Day day, int tick, int ticksPerDay, EventSink sink)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ticksPerDay, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(tick);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(tick, ticksPerDay);
        PlanDay(day, withReminders: false);
        writtenMs = Math.Max(writtenMs, day.StartMs + Day.MsPerDay * tick / ticksPerDay);
        WriteUntil(day.StartMs + Day.MsPerDay * (tick + 1) / ticksPerDay, sink);
    }

    /// <summary>
    /// We contact a debtor. How that ends follows from seed, debtor, channel and instant alone; what the debtor then does (a promise, a payment, a
    /// dispute, a reply or call) comes with later ticks. Reporting the attempt is the caller's business.
    /// </summary>
    public AttemptOutcome Contact(int debtor, Channel channel, long atMs)
    {
        ref SimulatedDebtor s = ref debtors[debtor];
        AttemptOutcome outcome = ContactHabits.Outcome(draws, s, debtor, channel, atMs);
        // What was written already cannot be changed: a contact reported late has its consequences from now on.
        life.React(ref s, debtor, channel, outcome, Math.Max(atMs, writtenMs));
        return outcome;
    }

    private void PlanDay(Day day, bool withReminders)
    {
        if (day == planned)
            return;
        if (day < FirstDay || day < planned || day - FirstDay >= PortfolioLimits.DaysMax)
        {
            string rule = $"days follow one another from {FirstDay}, at most {PortfolioLimits.DaysMax}; the last was {planned}";
            throw new ArgumentOutOfRangeException(nameof(day), day, rule);
        }
        planned = day;
        plan.Clear();
        for (int i = 0; i < nextHabits.Length; i++)
        {
            if (IsDue(nextHabits[i], day))
                PlanHabits(day, i, withReminders);
        }
        plan.Sort(day);
        writtenMs = Math.Max(writtenMs, day.StartMs);
    }

    private void PlanHabits(Day day, int debtor, bool withReminders)
    {
        ref readonly SimulatedDebtor s = ref debtors[debtor];
        if (IsDue(s.NextIssue, day))
        {
            if (s.Issued == 0)
                plan.Add(debtor, HappeningKind.Register, DayClock.Registration(day, draws.Bits(debtor, day.Number, Purpose.RegisterTime)));
            plan.Add(debtor, HappeningKind.Issue, DayClock.Issue(day, draws.Bits(debtor, day.Number, Purpose.IssueTime)));
        }
        if (IsDue(s.NextPayment, day))
            plan.Add(debtor, HappeningKind.PayDay, DayClock.Payment(day, draws.Bits(debtor, day.Number, Purpose.PayTime)));
        if (withReminders && IsDue(s.NextAttempt, day))
            plan.Add(debtor, HappeningKind.Attempt, DayClock.Attempt(day, draws.Bits(debtor, day.Number, Purpose.AttemptTime)));
        if (IsDue(s.NextChatter, day))
            plan.Add(debtor, HappeningKind.Chatter, DayClock.Chatter(day, draws.Bits(debtor, day.Number, Purpose.ChatterTime)));
    }

    private void WriteUntil(long endMs, EventSink sink)
    {
        scribe.WriteTo(sink);
        ulong end = Happening.Of(FirstDay, endMs, debtor: 0, kind: 0).Key;
        while (true)
        {
            ulong next = plan.NextKey;
            ulong followUp = followUps.NextKey;
            var happening = new Happening(Math.Min(next, followUp));
            if (happening.Key >= end)
                break;
            if (next < followUp)
                plan.MoveNext();
            writtenMs = Math.Max(writtenMs, happening.MsSince(FirstDay));
            ref SimulatedDebtor s = ref debtors[happening.Debtor];
            life.Happen(ref s, happening.Debtor, happening.Kind, writtenMs);
            nextHabits[happening.Debtor] = s.NextHabit;
        }
        writtenMs = Math.Max(writtenMs, endMs);
    }

    /// <summary>No day is never due: 0 − 1 wraps round to the largest number.</summary>
    private static bool IsDue(Day next, Day day) => (ushort)(next.Number - 1) < day.Number;
}
