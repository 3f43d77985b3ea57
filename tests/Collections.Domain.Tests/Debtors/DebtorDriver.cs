using System.Runtime.InteropServices;
using System.Text;
using Collections.Domain.Debtors;
using Collections.Domain.Events;

namespace Collections.Domain.Tests.Debtors;

/// <summary>One delivery of an event as a log holds it.</summary>
internal sealed record Delivery(string Debtor, byte[] Content, long KnownMs);

/// <summary>
/// Plays the engine's part towards debtors: creates them at their first event, keeps what was delivered, and rebuilds from it what
/// needs history.
/// </summary>
internal sealed class DebtorDriver(DebtorOptions? options = null) : IDisposable
{
    private readonly Dictionary<string, int> places = [];
    private readonly Dictionary<string, List<Delivery>> delivered = [];
    private DebtorRecord[] records = new DebtorRecord[16];

    public SlabPool Pool { get; } = new(options);

    public NameTable Names { get; } = new();

    public int Rebuilds { get; private set; }

    public IEnumerable<string> Debtors => places.Keys;

    public void Dispose() => Pool.Dispose();

    public bool Has(string debtor) => places.ContainsKey(debtor);

    public Debtor Open(string debtor)
    {
        ref int place = ref CollectionsMarshal.GetValueRefOrAddDefault(places, debtor, out bool exists);
        if (!exists)
        {
            place = places.Count - 1;
            delivered[debtor] = [];
            if (place == records.Length)
                Array.Resize(ref records, records.Length * 2);
            Debtor.Create(ref records[place], Pool, Names, "default"u8, Encoding.UTF8.GetBytes(debtor));
        }
        return new Debtor(ref records[place], Pool, Names);
    }

    public ref DebtorRecord Record(string debtor) => ref records[places[debtor]];

    /// <summary>Delivers an event; what needs history is settled from all that was delivered, this one included.</summary>
    public ApplyOutcome Deliver(Delivery delivery, AsOf now)
    {
        Debtor debtor = Open(delivery.Debtor);
        List<Delivery> past = delivered[delivery.Debtor];
        past.Add(delivery);
        Assert.True(EventReader.TryRead(delivery.Content, delivery.KnownMs, history: false, out Event e, out EventError error), error.ToString());
        debtor.Advance(now);
        ulong before = ImageHash(ref debtor);
        ApplyOutcome outcome = debtor.Apply(e, now, out error);
        if (outcome == ApplyOutcome.NeedsHistory)
        {
            Assert.Equal(before, ImageHash(ref debtor));
            Rebuilds++;
            return Rebuild(delivery.Debtor, past, now);
        }
        return outcome;
    }

    public ApplyOutcome Rebuild(string name, IEnumerable<Delivery> deliveries, AsOf now)
    {
        var history = new HistoryBatch();
        foreach (Delivery delivery in deliveries)
            history.Add(delivery.Content, delivery.KnownMs, history: false);
        Debtor debtor = Open(name);
        return debtor.Rebuild(history, now, out _);
    }

    public double[] Features(string name, AsOf asOf)
    {
        Debtor debtor = Open(name);
        debtor.Advance(asOf);
        double[] values = new double[FeatureCatalogue.Count];
        debtor.Features(asOf, values);
        return values;
    }

    public IReadOnlyList<Delivery> Delivered(string name) => delivered[name];

    /// <summary>Over record and lists, folded, so that reading does not count as a change.</summary>
    private static ulong ImageHash(ref Debtor debtor)
    {
        debtor.LedgerDigest();
        byte[] image = new byte[debtor.ImageLength];
        debtor.WriteImage(image);
        return Hash64.Of(image);
    }
}
