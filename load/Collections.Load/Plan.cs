using System.Runtime.InteropServices;
using Collections.Domain;

namespace Collections.Load;

/// <summary>Requests that are told apart in the figures.</summary>
internal enum RequestClass
{
    Append,
    Pull,
    Report,
    Get,
}

/// <summary>Which events a flow of appends carries; only the proportions count.</summary>
internal sealed record EventMix(double Invoices, double Payments, double Activity);

/// <summary>One kind of request, and when how many of it come.</summary>
/// <param name="Requests">How many.</param>
/// <param name="Events">Of all its requests together; 0 unless it appends.</param>
/// <param name="Mix">What they are; null unless it appends.</param>
internal sealed record Flow(RequestClass Class, int Requests, long Events, EventMix? Mix, Curve Curve);

/// <summary>One request that is to be sent.</summary>
/// <param name="AtMicros">The moment from which its latency counts, since the start.</param>
/// <param name="Flow">Its index in the plan; a report has none: <see cref="FollowUp"/>.</param>
/// <param name="Number">Within its flow, from 0; of a report, the lease's.</param>
internal readonly record struct Planned(long AtMicros, int Flow, int Number) : IComparable<Planned>
{
    /// <summary>In place of a flow: what follows from an answer.</summary>
    public const int FollowUp = -1;

    public int CompareTo(Planned other) => (AtMicros, Flow, Number).CompareTo((other.AtMicros, other.Flow, other.Number));
}

/// <summary>Everything that will be sent, in order, before the first request goes out: it depends on options and seed alone, never on answers.</summary>
internal sealed class Plan
{
    private Plan(IReadOnlyList<Flow> flows, Planned[] requests, int seconds)
    {
        Flows = flows;
        Requests = requests;
        DurationMicros = seconds * 1_000_000L;
    }

    public IReadOnlyList<Flow> Flows { get; }

    public Planned[] Requests { get; }

    public long DurationMicros { get; }

    /// <summary>Equal for equal plans.</summary>
    public ulong Hash => Hash64.Of(MemoryMarshal.AsBytes(Requests.AsSpan()));

    public static Plan Of(IReadOnlyList<Flow> flows, int seconds, int seed)
    {
        var requests = new List<Planned>(flows.Sum(static f => f.Requests));
        for (int flow = 0; flow < flows.Count; flow++)
        {
            // Each flow has numbers of its own, so that another one beside it changes nothing.
            long[] moments = flows[flow].Curve.Arrivals(flows[flow].Requests, seconds * 1_000_000L, new Random(HashCode(seed, flow)));
            for (int i = 0; i < moments.Length; i++)
                requests.Add(new Planned(moments[i], flow, i));
        }
        requests.Sort();
        return new Plan(flows, [.. requests], seconds);
    }

    public RequestClass ClassOf(in Planned request) => request.Flow == Planned.FollowUp ? RequestClass.Report : Flows[request.Flow].Class;

    /// <summary>Events of one append: as even as whole numbers allow, so that all together are exactly what the flow has.</summary>
    public int EventsOf(in Planned request)
    {
        Flow flow = Flows[request.Flow];
        return (int)(flow.Events * (request.Number + 1) / flow.Requests - flow.Events * request.Number / flow.Requests);
    }

    private static int HashCode(int seed, int flow) => (int)Hash64.Of(MemoryMarshal.AsBytes<int>([seed, flow]));
}
