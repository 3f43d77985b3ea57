using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Server.Demo.Portfolio;

namespace Collections.Server.Tests.Demo;

/// <summary>An event of the simulated portfolio as a test keeps it.</summary>
internal sealed record Told(EventKind Kind, EventStream Stream, int Debtor, string Name, long KnownMs, byte[] Content);

/// <summary>Runs simulated portfolios and reads what they say.</summary>
internal static class PortfolioReading
{
    public static readonly Day FirstDay = Day.Of(new DateOnly(2026, 1, 1));

    public static List<Told> History(SimulatedPortfolio portfolio)
    {
        var told = new List<Told>();
        for (Day day = portfolio.FirstDay; day < portfolio.FirstLiveDay; day = day.Plus(1))
            portfolio.WriteHistoryDay(day, Into(told));
        return told;
    }

    public static List<Told> LiveDay(SimulatedPortfolio portfolio, Day day, int ticks)
    {
        var told = new List<Told>();
        for (int tick = 0; tick < ticks; tick++)
            portfolio.WriteLiveTick(day, tick, ticks, Into(told));
        return told;
    }

    public static EventSink Into(List<Told> told) => (in SimulatedEvent e) =>
        told.Add(new Told(e.Kind, e.Stream, e.Debtor, Encoding.ASCII.GetString(e.DebtorName), e.KnownMs, e.Content.ToArray()));

    /// <summary>One number over all that the events say, in their order.</summary>
    public static ulong HashOf(IEnumerable<Told> told)
    {
        ulong hash = 0;
        foreach (Told one in told)
            hash = Hash64.Of(one.Content, hash ^ (ulong)one.KnownMs ^ (ulong)one.Stream << 60);
        return hash;
    }

    public static Event Read(Told told)
    {
        Assert.True(EventReader.TryRead(told.Content, told.KnownMs, history: true, out Event e, out EventError error), Say(error));
        Assert.True(BodyReader.Check(e, out error), Say(error));
        return e;
    }

    public static string IdOf(Told told) => Encoding.ASCII.GetString(Read(told).Head.Id);

    public static PaymentReceived PaymentOf(Told told)
    {
        // On the heap, because what is returned may refer to nothing of this method.
        var error = new EventError[1];
        Assert.True(BodyReader.TryRead(Read(told).Body, out PaymentReceived payment, ref error[0]), Say(error[0]));
        return payment;
    }

    public static ItemIssued ItemOf(Told told)
    {
        var error = new EventError[1];
        Assert.True(BodyReader.TryRead(Read(told).Body, out ItemIssued item, ref error[0]), Say(error[0]));
        return item;
    }

    private static string Say(EventError error) => $"{error.Field} {error.Problem} {error.Value}";
}
