using System.Text;
using Collections.Engine.Logs;
using Collections.Engine.Stores;

namespace Collections.Storage.Stores;

/// <summary>The checksums of a store's rows, each over everything in its row and over the key, so that a row in another's place is noticed too.</summary>
internal static class RowChecksums
{
    public static long OfState(long slot, ReadOnlySpan<byte> image) => Checksum.Of(image, Checksum.Of(slot, Checksum.Start));

    public static long OfHeld(int index, in LogRecord record)
    {
        uint sum = Checksum.Of((long)record.Stream << 32 | (uint)index, Checksum.Start);
        sum = Checksum.Of(record.KnownMs, Checksum.Of(record.Offset, sum));
        return Checksum.Of(record.Content, Checksum.Of(record.History ? 1 : 0, sum));
    }

    public static long OfOutbox(OutboxKind kind, long sequence, ReadOnlySpan<byte> content) =>
        Checksum.Of(content, Checksum.Of((long)kind, Checksum.Of(sequence, Checksum.Start)));

    /// <summary>Over what never changes of a lease; what does has a checksum of its own, so that an extension need not read the row.</summary>
    public static long OfLease(LeaseRow row)
    {
        uint sum = Checksum.Of((long)row.Partition << 32 | row.Sequence, Checksum.Start);
        foreach (string text in (ReadOnlySpan<string>)[row.Tenant, row.Debtor, row.Queue, row.Caller, row.RequestId])
            sum = Checksum.Of(text.Length, Checksum.Of(Encoding.UTF8.GetBytes(text), sum));
        sum = Checksum.Of((long)row.Channel << 16 | row.ModelVersion, Checksum.Of(row.GrantedMs, sum));
        sum = Checksum.Of(StoredBits(row.Propensity), Checksum.Of(StoredBits(row.Value), sum));
        sum = Checksum.Of(row.DecidedAt.Activity, Checksum.Of(row.DecidedAt.Payments, Checksum.Of(row.DecidedAt.Invoices, sum)));
        // A lease without reasons has the checksum that it had before there were any.
        return row.Reasons.Count == 0 ? sum : Checksum.Of(ReasonsForm.Write(row.Reasons), sum);
    }

    /// <summary>Over what changes in a lease's life.</summary>
    public static long OfLife(int partition, uint sequence, long expiresMs, LeaseState state) =>
        Checksum.Of((long)state, Checksum.Of(expiresMs, Checksum.Of((long)partition << 32 | sequence, Checksum.Start)));

    public static long OfDocument(int number, string name, ReadOnlySpan<byte> content) =>
        Checksum.Of(content, Checksum.Of(Encoding.UTF8.GetBytes(name), Checksum.Of(number, Checksum.Start)));

    public static long OfAct(ConfigurationAct act)
    {
        uint sum = Checksum.Of((long)act.Kind << 8 | (long)act.Act, Checksum.Of(act.AtMs, Checksum.Of(act.Sequence, Checksum.Start)));
        foreach (string text in (ReadOnlySpan<string>)[act.By, act.Subject])
            sum = Checksum.Of(text.Length, Checksum.Of(Encoding.UTF8.GetBytes(text), sum));
        return Checksum.Of(act.Number, sum);
    }

    // SQLite keeps one NaN and no negative zero.
    private static long StoredBits(double value) => BitConverter.DoubleToInt64Bits(double.IsNaN(value) ? double.NaN : value + 0.0);
}
