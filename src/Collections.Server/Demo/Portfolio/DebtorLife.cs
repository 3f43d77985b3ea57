using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Demo.Portfolio;

/// <summary>
/// Carries out what happens to a debtor: writes its events, keeps its account and plans what follows. A habit's next day is always
/// set to a later day, because the plan of today is made.
/// </summary>
internal sealed class DebtorLife(Draws draws, FollowUpQueue followUps, EventScribe scribe)
{
    /// <summary>The creditor of the history does not chase less than 5.00.</summary>
    private const int ChasedMinMinor = 500;

    /// <summary>Sums over all debtors, to which the engine's ledger can be tied.</summary>
    public PortfolioTotals Totals;

    public void Happen(ref SimulatedDebtor s, int debtor, HappeningKind kind, long nowMs)
    {
        scribe.About(debtor, nowMs);
        switch (kind)
        {
            case HappeningKind.Register: scribe.Registered(ref s); break;
            case HappeningKind.Issue: Issue(ref s, debtor, nowMs); break;
            case HappeningKind.PayDay: OnPayDay(ref s, debtor, nowMs); break;
            case HappeningKind.Attempt: OnReminderDay(ref s, debtor, nowMs); break;
            case HappeningKind.Chatter: OnChatterDay(ref s, debtor, nowMs); break;
            default: FollowUp(ref s, debtor, kind, nowMs); break;
        }
    }

    /// <summary>Lets an attempt, the history's or the engine's, have its consequences.</summary>
    public void React(ref SimulatedDebtor s, int debtor, Channel channel, AttemptOutcome outcome, long atMs)
    {
        ContactResponse response = ContactHabits.Respond(draws, s, debtor, channel, outcome, atMs);
        Tire(ref s, Day.OfMs(atMs));
        if (s.NetMinor <= 0)
            return;
        // In person things are settled while talking; a message is read within hours.
        bool inPerson = outcome == AttemptOutcome.RightParty;
        ulong bits = draws.Bits(debtor, atMs, Purpose.ResponseDelay);
        long soonMs = atMs + (inPerson ? DayClock.MinuteMs : 5 * DayClock.MinuteMs + Draws.Within(bits, 7 * DayClock.HourMs));
        switch (response)
        {
            case ContactResponse.Pay: PaySoon(ref s, debtor, soonMs, bits); break;
            case ContactResponse.ClickAndPay:
                Inbound(ref s, debtor, soonMs, channel, ContactKind.Click);
                PaySoon(ref s, debtor, soonMs + 2 * DayClock.MinuteMs, bits);
                break;
            case ContactResponse.Click: Inbound(ref s, debtor, soonMs, channel, ContactKind.Click); break;
            case ContactResponse.Reply: Inbound(ref s, debtor, soonMs, channel, ContactKind.Reply); break;
            case ContactResponse.OptOut: Inbound(ref s, debtor, soonMs, channel, ContactKind.OptOut); break;
            case ContactResponse.ReplyAndPromise:
                Inbound(ref s, debtor, soonMs, channel, ContactKind.Reply);
                followUps.TryAdd(ref s, debtor, HappeningKind.Promise, soonMs + DayClock.MinuteMs, default);
                break;
            case ContactResponse.CallAndPromise:
                Inbound(ref s, debtor, soonMs, Channel.Voice, ContactKind.InboundCall);
                followUps.TryAdd(ref s, debtor, HappeningKind.Promise, soonMs + 4 * DayClock.MinuteMs, default);
                break;
            case ContactResponse.Promise: followUps.TryAdd(ref s, debtor, HappeningKind.Promise, soonMs, default); break;
            case ContactResponse.Dispute: followUps.TryAdd(ref s, debtor, HappeningKind.Dispute, soonMs, default); break;
        }
    }

    private void Issue(ref SimulatedDebtor s, int debtor, long nowMs)
    {
        int item = s.Issued++;
        Day today = Day.OfMs(nowMs);
        Day due = today.Plus(BillingCalendar.TermDays);
        int amount = Bills.AmountMinor(draws, s, debtor, item);
        s.NetMinor += amount;
        Totals.IssuedMinor += amount;
        scribe.Issued(ref s, item, amount, due);

        s.NextIssue = Bills.IssuedOn(s, item + 1);
        Day payment = PayingHabits.AfterBill(draws, s, debtor, today, due);
        if (s.NextPayment.IsNone || payment < s.NextPayment)
            s.NextPayment = payment;
        if (s.NextAttempt.IsNone)
            s.NextAttempt = due.Plus(3);
        double disputes = s.Type == DebtorType.Disputer ? 0.22 : 0.002;
        if (draws.Chance(debtor, item, Purpose.Dispute, disputes))
        {
            Day day = today.Plus(draws.Between(debtor, item, Purpose.DisputeDelay, 2, 38));
            followUps.TryAdd(ref s, debtor, HappeningKind.Dispute, DayClock.Chatter(day, draws.Bits(debtor, day.Number, Purpose.Dispute)), default);
        }
    }

    private void OnPayDay(ref SimulatedDebtor s, int debtor, long nowMs)
    {
        Day today = Day.OfMs(nowMs);
        s.NextPayment = Day.None;
        int payable = s.PayableMinor;
        if (payable <= 0)
            return;
        if (PayingHabits.PaysToday(draws, s, debtor, today))
        {
            int amount = PayingHabits.AmountMinor(draws, s, debtor, today, payable);
            if (PayingHabits.Fails(draws, s, debtor, today))
                scribe.Failed(ref s, amount);
            else
                Receive(ref s, debtor, nowMs, amount);
        }
        if (s.PayableMinor > 0)
            s.NextPayment = PayingHabits.Again(draws, s, debtor, today);
    }

    private void Receive(ref SimulatedDebtor s, int debtor, long nowMs, int amountMinor)
    {
        Day today = Day.OfMs(nowMs);
        long when = s.Sequence;
        bool oneBill = s.Issued > 0 && amountMinor == Bills.AmountMinor(draws, s, debtor, s.Issued - 1);
        int forItem = oneBill && s.NetMinor == amountMinor && draws.Chance(debtor, when, Purpose.NamesItem, 0.2) ? s.Issued - 1 : -1;
        // One in ten is value-dated the day before, as the bank's morning file has it.
        Day valueDay = draws.Chance(debtor, when, Purpose.ValueDate, 0.1) ? today.Plus(-1) : today;
        s.NetMinor -= amountMinor;
        Totals.ReceivedMinor += amountMinor;
        scribe.Received(ref s, amountMinor, valueDay, forItem);
        if (draws.Chance(debtor, when, Purpose.Reversal, PayingHabits.ReversalProbability(s)))
        {
            Day back = today.Plus(draws.Between(debtor, when, Purpose.ReversalDelay, 2, 6));
            long backMs = DayClock.Reversal(back, draws.Bits(debtor, when, Purpose.ReversalDelay));
            followUps.TryAdd(ref s, debtor, HappeningKind.Reversal, backMs, new FollowUp(amountMinor, s.Sequence));
        }
    }

    private void OnReminderDay(ref SimulatedDebtor s, int debtor, long nowMs)
    {
        Day today = Day.OfMs(nowMs);
        int overdue = Bills.OverdueMinor(draws, s, debtor, today);
        if (overdue < ChasedMinMinor)
        {
            // The newest bill falls due next; once it is settled too, the bill after it starts this again.
            Day next = Bills.DueOn(s, s.Issued - 1).Plus(3);
            s.NextAttempt = next > today ? next : Day.None;
            return;
        }
        if (s.Dispute != 0 || today <= s.QuietUntil)
        {
            s.NextAttempt = s.Dispute != 0 ? today.Plus(7) : s.QuietUntil.Plus(1);
            return;
        }
        Channel channel = ReminderChannel(s, draws.Share(debtor, today.Number, Purpose.AttemptChannel));
        AttemptOutcome outcome = ContactHabits.Outcome(draws, s, debtor, channel, nowMs);
        scribe.Attempted(ref s, channel, outcome);
        React(ref s, debtor, channel, outcome, nowMs);
        s.NextAttempt = NotOnSunday(today.Plus(draws.Between(debtor, today.Number, Purpose.AttemptGap, 3, 9)));
    }

    private void OnChatterDay(ref SimulatedDebtor s, int debtor, long nowMs)
    {
        Day today = Day.OfMs(nowMs);
        s.NextChatter = today.Plus(draws.Between(debtor, today.Number, Purpose.ChatterGap, 30, 120));
        double u = draws.Share(debtor, today.Number, Purpose.ChatterKind);
        bool late = Bills.OverdueMinor(draws, s, debtor, today) > 0;
        if (u < 0.12)
        {
            scribe.Prefers(ref s);
        }
        else if (late && s.Type == DebtorType.Struggler && u < 0.2)
        {
            s.QuietUntil = today.Plus(21);
            scribe.Held(ref s, "hardship under review", s.QuietUntil);
        }
        else if (late && s.Type != DebtorType.Refuser && u < 0.6)
        {
            scribe.Contacted(ref s, Channel.Voice, ContactKind.InboundCall);
            followUps.TryAdd(ref s, debtor, HappeningKind.Promise, nowMs + 4 * DayClock.MinuteMs, default);
        }
        else
        {
            Channel written = s.Preferred == Channel.Sms ? Channel.Sms : Channel.Email;
            ContactKind kind = u > 0.99 ? ContactKind.OptOut : u > 0.75 ? ContactKind.Reply : ContactKind.Click;
            scribe.Contacted(ref s, written, kind);
        }
    }

    private void FollowUp(ref SimulatedDebtor s, int debtor, HappeningKind kind, long nowMs)
    {
        FollowUp followUp = followUps.Take(ref s, kind);
        switch (kind)
        {
            case HappeningKind.Payment: PayAsPlanned(ref s, debtor, nowMs, followUp); break;
            case HappeningKind.Reversal: Reverse(ref s, debtor, nowMs, followUp); break;
            case HappeningKind.Inbound: scribe.Contacted(ref s, (Channel)(followUp.Reference & 0xff), (ContactKind)(followUp.Reference >> 8)); break;
            case HappeningKind.Promise: Promise(ref s, debtor, nowMs); break;
            case HappeningKind.Dispute: OpenDispute(ref s, debtor, nowMs); break;
            case HappeningKind.Resolution: Resolve(ref s, debtor, nowMs, followUp); break;
        }
    }

    private void PayAsPlanned(ref SimulatedDebtor s, int debtor, long nowMs, FollowUp plan)
    {
        int payable = s.PayableMinor;
        if (payable <= 0)
            return;
        Day today = Day.OfMs(nowMs);
        int amount = plan.AmountMinor > 0 ? Math.Min(plan.AmountMinor, payable) : PayingHabits.AmountMinor(draws, s, debtor, today, payable);
        Receive(ref s, debtor, nowMs, amount);
    }

    private void Reverse(ref SimulatedDebtor s, int debtor, long nowMs, FollowUp payment)
    {
        Day today = Day.OfMs(nowMs);
        s.NetMinor += payment.AmountMinor;
        Totals.ReversedMinor += payment.AmountMinor;
        scribe.Reversed(ref s, payment.Reference);
        if (s.NextPayment.IsNone)
            s.NextPayment = PayingHabits.Again(draws, s, debtor, today);
        if (s.NextAttempt.IsNone)
            s.NextAttempt = today.Plus(3);
    }

    private void Promise(ref SimulatedDebtor s, int debtor, long nowMs)
    {
        Day today = Day.OfMs(nowMs);
        int overdue = Math.Min(s.PayableMinor, Bills.OverdueMinor(draws, s, debtor, today));
        // A debtor that is about to pay anyway promises nothing more.
        if (overdue <= 0 || today <= s.QuietUntil || FollowUpQueue.IsWaiting(s, HappeningKind.Payment))
            return;
        double share = draws.Share(debtor, nowMs, Purpose.PromiseShare);
        int amount = s.Type is DebtorType.Struggler or DebtorType.Refuser ? PayingHabits.Part(overdue, 0.3 + 0.6 * share) : overdue;
        Day due = today.Plus(draws.Between(debtor, nowMs, Purpose.PromiseDue, 3, 10));
        if (!s.PaysByDebit && BillingCalendar.PayDayAfter(today, s.PayDay) is Day payDay && payDay - today <= 14)
            due = payDay;
        s.QuietUntil = due.Plus(2);
        scribe.Promised(ref s, amount, due);

        ulong bits = draws.Bits(debtor, nowMs, Purpose.PromiseKept);
        long payMs = Math.Max(nowMs + DayClock.HourMs, DayClock.Payment(due.Plus(-(int)(bits & 1)), bits));
        if (ContactHabits.Keeps(draws, s, debtor, nowMs))
            followUps.TryAdd(ref s, debtor, HappeningKind.Payment, payMs, new FollowUp(amount, 0));
        else if (share < 0.35)
            followUps.TryAdd(ref s, debtor, HappeningKind.Payment, payMs, new FollowUp(PayingHabits.Part(amount, 0.2 + share), 0));
    }

    private void OpenDispute(ref SimulatedDebtor s, int debtor, long nowMs)
    {
        if (s.NetMinor <= 0 || s.Dispute != 0)
            return;
        int item = Bills.OldestOpen(draws, s, debtor);
        // Each bill is disputed once, so that its credit notes never exceed it.
        if (item < s.DisputableFrom)
            return;
        int open = Math.Min(s.NetMinor, Bills.AmountMinor(draws, s, debtor, item));
        bool whole = draws.Chance(debtor, nowMs, Purpose.DisputePart, 0.6);
        s.DisputableFrom = (ushort)(item + 1);
        s.DisputedMinor = whole ? open : PayingHabits.Part(open, 0.1 + 0.6 * draws.Share(debtor, nowMs, Purpose.Dispute));
        scribe.Disputed(ref s, item, whole ? 0 : s.DisputedMinor);
        s.Dispute = s.Sequence;

        Day day = Day.OfMs(nowMs).Plus(draws.Between(debtor, nowMs, Purpose.ResolutionDelay, 6, 28));
        long atMs = DayClock.Office(day, draws.Bits(debtor, nowMs, Purpose.ResolutionDelay));
        bool justified = draws.Chance(debtor, nowMs, Purpose.Resolution, s.Type == DebtorType.Disputer ? 0.6 : 0.4);
        followUps.TryAdd(ref s, debtor, HappeningKind.Resolution, atMs, new FollowUp(justified ? s.DisputedMinor : 0, s.Dispute));
    }

    private void Resolve(ref SimulatedDebtor s, int debtor, long nowMs, FollowUp resolution)
    {
        int credit = Math.Min(resolution.AmountMinor, s.NetMinor);
        if (credit > 0)
        {
            s.NetMinor -= credit;
            Totals.CreditedMinor += credit;
            scribe.Credited(ref s, s.DisputableFrom - 1, credit);
        }
        scribe.Resolved(ref s, resolution.Reference);
        s.Dispute = 0;
        s.DisputedMinor = 0;
        if (s.NetMinor > 0 && s.NextPayment.IsNone)
            s.NextPayment = PayingHabits.Again(draws, s, debtor, Day.OfMs(nowMs));
    }

    private void PaySoon(ref SimulatedDebtor s, int debtor, long soonMs, ulong bits)
    {
        // Half pay while they think of it, the others over the next three days.
        Day day = Day.OfMs(soonMs).Plus((int)(bits & 3));
        long atMs = (bits & 4) == 0 ? soonMs : Math.Max(soonMs, DayClock.Payment(day, bits));
        followUps.TryAdd(ref s, debtor, HappeningKind.Payment, atMs, default);
    }

    private void Inbound(ref SimulatedDebtor s, int debtor, long atMs, Channel channel, ContactKind kind) =>
        followUps.TryAdd(ref s, debtor, HappeningKind.Inbound, atMs, new FollowUp(0, (int)channel | (int)kind << 8));

    private static Channel ReminderChannel(in SimulatedDebtor s, double u) => u switch
    {
        < 0.30 => s.Preferred,
        < 0.52 => Channel.Sms,
        < 0.68 => Channel.Email,
        < 0.96 => Channel.Voice,
        _ => Channel.Letter,
    };

    private static Day NotOnSunday(Day day) => day.DayOfWeek == 7 ? day.Plus(1) : day;

    private static void Tire(ref SimulatedDebtor s, Day today)
    {
        int rested = s.LastAttempt.IsNone ? byte.MaxValue : Math.Max(0, today - s.LastAttempt) / 3;
        s.Fatigue = (byte)Math.Min(byte.MaxValue, Math.Max(0, s.Fatigue - rested) + 1);
        s.LastAttempt = today;
    }
}
