using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Demo.Portfolio;

/// <summary>What a contact attempt leads the debtor to do.</summary>
internal enum ContactResponse
{
    None,

    /// <summary>Pays within days, saying nothing.</summary>
    Pay,

    /// <summary>Follows the link, then pays.</summary>
    ClickAndPay,

    /// <summary>Follows the link, and that is all.</summary>
    Click,
    Reply,
    ReplyAndPromise,
    CallAndPromise,
    Promise,
    Dispute,
    OptOut,
}

/// <summary>
/// How contact attempts end, and what debtors do after them. Pure. What an attempt changes is what the engine's ranking is to find:
/// forgetters need only be reminded, payers would have paid anyway, refusers do not react.
/// </summary>
internal static class ContactHabits
{
    /// <summary>How readily a type responds to a message, and how many of those it reaches in person promise or pay at once.</summary>
    private static readonly (double Responds, double Promises, double PaysAtOnce)[] ByType =
    [
        (0.40, 0.40, 0.50),
        (0.34, 0.50, 0.35),
        (0.20, 0.60, 0.08),
        (0.03, 0.10, 0.02),
        (0.25, 0.25, 0.20),
    ];

    /// <summary>How a call ends; from traits and the draw alone, so that asking again gives the same.</summary>
    public static AttemptOutcome Outcome(in Draws draws, in SimulatedDebtor s, int debtor, Channel channel, long atMs)
    {
        double u = draws.Share(debtor, atMs, Purpose.Outcome);
        return channel switch
        {
            Channel.Voice => Call(s, u, atMs, Has(s, BadContactPoints.Phone)),
            Channel.Sms => Message(u, Has(s, BadContactPoints.Mobile), 0.99),
            Channel.Email => Message(u, Has(s, BadContactPoints.Email), 0.98),
            Channel.Letter => Message(u, Has(s, BadContactPoints.Address), 0.99),
            Channel.Field => Visit(u, Has(s, BadContactPoints.Address)),
            _ => AttemptOutcome.Delivered,
        };
    }

    /// <summary>What the debtor does after an attempt that ended so.</summary>
    public static ContactResponse Respond(in Draws draws, in SimulatedDebtor s, int debtor, Channel channel, AttemptOutcome outcome, long atMs)
    {
        double u = draws.Share(debtor, atMs, Purpose.Response);
        return outcome switch
        {
            AttemptOutcome.RightParty => InPerson(s, u),
            AttemptOutcome.Delivered => ToMessage(s, channel, u),
            AttemptOutcome.Voicemail => ToVoicemail(s, u),
            _ => ContactResponse.None,
        };
    }

    /// <summary>Whether a promise will be kept.</summary>
    public static bool Keeps(in Draws draws, in SimulatedDebtor s, int debtor, long madeMs) =>
        draws.Chance(debtor, madeMs, Purpose.PromiseKept, 0.1 + 0.85 * s.Propensity);

    private static AttemptOutcome Call(in SimulatedDebtor s, double u, long atMs, bool badNumber)
    {
        if (badNumber)
            return u < 0.5 ? AttemptOutcome.WrongParty : AttemptOutcome.OutOfService;
        int hour = (int)(atMs % Day.MsPerDay / DayClock.HourMs);
        // Answered best within an hour of the debtor's good hour, and half as often at other times of the day.
        double hourFit = Math.Abs(hour - s.GoodHour) <= 1 ? 1.0 : 0.5;
        double willing = s.Type == DebtorType.Refuser ? 0.25 : 0.55 + 0.45 * s.Propensity;
        double answers = 0.45 * hourFit * willing * (s.Preferred == Channel.Voice ? 1.4 : 1.0);
        double rest = (u - answers) / (1 - answers);
        return u < answers ? AttemptOutcome.RightParty : rest switch
        {
            < 0.55 => AttemptOutcome.NoAnswer,
            < 0.85 => AttemptOutcome.Voicemail,
            < 0.94 => AttemptOutcome.Busy,
            _ => AttemptOutcome.WrongParty,
        };
    }

    private static AttemptOutcome Visit(double u, bool badAddress)
    {
        if (badAddress)
            return AttemptOutcome.WrongParty;
        return u < 0.35 ? AttemptOutcome.RightParty : u < 0.45 ? AttemptOutcome.WrongParty : AttemptOutcome.NoAnswer;
    }

    private static bool Has(in SimulatedDebtor s, BadContactPoints point) => (s.BadPoints & point) != 0;

    private static AttemptOutcome Message(double u, bool badAddress, double delivered) =>
        badAddress || u >= delivered ? AttemptOutcome.Bounced : AttemptOutcome.Delivered;

    private static ContactResponse InPerson(in SimulatedDebtor s, double u)
    {
        (_, double promises, double paysAtOnce) = ByType[(int)s.Type];
        double disputes = s.Type == DebtorType.Disputer ? 0.30 : 0.01;
        double eager = 0.6 + 0.4 * s.Propensity;
        if (u < disputes)
            return ContactResponse.Dispute;
        if (u < disputes + promises * eager)
            return ContactResponse.Promise;
        return u < disputes + (promises + paysAtOnce) * eager ? ContactResponse.Pay : ContactResponse.None;
    }

    private static ContactResponse ToMessage(in SimulatedDebtor s, Channel channel, double u)
    {
        double byChannel = channel switch { Channel.Sms => 1.0, Channel.Email => 0.8, Channel.Letter => 0.6, _ => 0.7 };
        double tired = 1 / (1 + 0.25 * s.Fatigue);
        double responds = ByType[(int)s.Type].Responds * byChannel * tired * (s.Preferred == channel ? 1.4 : 1.0);
        if (u >= responds)
            return u > 0.997 ? ContactResponse.OptOut : ContactResponse.None;
        bool byPost = channel is Channel.Letter;
        return (u / responds) switch
        {
            < 0.35 => ContactResponse.Pay,
            < 0.60 => byPost ? ContactResponse.Pay : ContactResponse.ClickAndPay,
            < 0.72 => byPost ? ContactResponse.None : ContactResponse.Click,
            < 0.80 => ContactResponse.Reply,
            < 0.88 => ContactResponse.ReplyAndPromise,
            < 0.96 => ContactResponse.CallAndPromise,
            _ => s.Type == DebtorType.Disputer ? ContactResponse.Dispute : ContactResponse.None,
        };
    }

    private static ContactResponse ToVoicemail(in SimulatedDebtor s, double u)
    {
        double responds = 0.4 * ByType[(int)s.Type].Responds;
        return u < 0.5 * responds ? ContactResponse.Pay : u < responds ? ContactResponse.CallAndPromise : ContactResponse.None;
    }
}
