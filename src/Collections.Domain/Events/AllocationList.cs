namespace Collections.Domain.Events;

/// <summary>One part of a payment that its payer meant for one item.</summary>
public readonly ref struct ExplicitAllocation(ReadOnlySpan<byte> item, long amountMinor)
{
    public readonly ReadOnlySpan<byte> Item = item;
    public readonly long AmountMinor = amountMinor;
}

/// <summary>The explicit allocations of a payment, read from its wire form one after another.</summary>
public readonly ref struct AllocationList(ReadOnlySpan<byte> paymentBody)
{
    internal const int Field = 2;

    private readonly ReadOnlySpan<byte> body = paymentBody;

    public bool IsEmpty => body.IsEmpty;

    public Enumerator GetEnumerator() => new(body);

    internal static bool Check(ReadOnlySpan<byte> paymentBody, long paymentMinor, ref EventError error)
    {
        long left = paymentMinor;
        var wire = new WireReader(paymentBody);
        while (wire.Next(out int field, out int type))
        {
            if (field != Field || type != WireReader.Bytes)
            {
                wire.Skip(type);
                continue;
            }
            if (!TryReadOne(wire.ReadBytes(), out ExplicitAllocation one))
                return EventReader.Fail(out error, "allocations", "is malformed");
            if (!EventReader.CheckName(one.Item, "allocations.item", required: true, ref error))
                return false;
            if (one.AmountMinor <= 0)
                return EventReader.Fail(out error, "allocations.minor_units", "must be more than 0");
            if (one.AmountMinor > left)
                return EventReader.Fail(out error, "allocations", $"are together more than the payment's amount of {paymentMinor} minor units");
            left -= one.AmountMinor;
        }
        return true;
    }

    private static bool TryReadOne(ReadOnlySpan<byte> message, out ExplicitAllocation allocation)
    {
        ReadOnlySpan<byte> item = default;
        long minor = 0;
        var wire = new WireReader(message);
        while (wire.Next(out int field, out int type))
        {
            if (field == 1 && type == WireReader.Bytes)
                item = wire.ReadBytes();
            else if (field == 2 && type == WireReader.Varint)
                minor = (long)wire.ReadVarint();
            else
                wire.Skip(type);
        }
        allocation = new ExplicitAllocation(item, minor);
        return !wire.Failed;
    }

    public ref struct Enumerator(ReadOnlySpan<byte> body)
    {
        private WireReader wire = new(body);

        public ExplicitAllocation Current { get; private set; }

        public bool MoveNext()
        {
            while (wire.Next(out int field, out int type))
            {
                if (field != Field || type != WireReader.Bytes)
                {
                    wire.Skip(type);
                    continue;
                }
                TryReadOne(wire.ReadBytes(), out ExplicitAllocation one);
                Current = one;
                return true;
            }
            return false;
        }
    }
}
