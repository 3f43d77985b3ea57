using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Collections.Domain.Debtors;

/// <summary>The lists of a debtor in the order in which they lie in its block: those that grow most often last, so that little has to move.</summary>
internal enum ListId
{
    Base = 0,
    Items = 1,
    Payments = 2,
    Promises = 3,
    Instructions = 4,
    Amendments = 5,
    Marks = 6,
    BaseAllocations = 7,
    OldPayments = 8,
    Profile = 9,
    Currencies = 10,
    Allocations = 11,
    Recent = 12,
    SeenRest = 13,
    SeenIds = 14,
    Text = 15,
}

/// <summary>
/// A record and its block, opened. The block begins with 16 counts and 16 offsets (in units of 8 bytes; the first says where the last
/// list ends), then come the lists without gaps. A pointer into a list is valid until anything is appended.
/// </summary>
internal unsafe ref struct HotState
{
    public const int HeaderBytes = 64;
    private const int ListCount = 16;
    private const int UnitBytes = 8;

    public readonly ref DebtorRecord R;
    public readonly SlabPool Pool;
    private byte* block;

    public HotState(ref DebtorRecord record, SlabPool pool)
    {
        R = ref record;
        Pool = pool;
        block = pool.Pointer(record.Block);
    }

    private static ReadOnlySpan<byte> Sizes => [BaseEntry.Bytes, 40, 24, 40, 24, 16, 24, 16, 16, 16, 2, 16, 8, 8, 4, 4];

    public readonly LedgerScratch Scratch => Pool.Scratch;

    public readonly bool HasBase => Count(ListId.Base) != 0;

    public readonly ref BaseEntry Base => ref *(BaseEntry*)Start(ListId.Base);

    public readonly int ItemCount => Count(ListId.Items);

    public readonly int PaymentCount => Count(ListId.Payments);

    public readonly Span<ItemEntry> Items => List<ItemEntry>(ListId.Items);

    public readonly Span<PaymentEntry> Payments => List<PaymentEntry>(ListId.Payments);

    public readonly Span<PromiseEntry> Promises => List<PromiseEntry>(ListId.Promises);

    public readonly Span<InstructionEntry> Instructions => List<InstructionEntry>(ListId.Instructions);

    public readonly Span<AmendmentEntry> Amendments => List<AmendmentEntry>(ListId.Amendments);

    public readonly Span<MarkEntry> Marks => List<MarkEntry>(ListId.Marks);

    public readonly Span<AllocationEntry> Allocations => List<AllocationEntry>(ListId.Allocations);

    public readonly Span<AllocationEntry> BaseAllocations => List<AllocationEntry>(ListId.BaseAllocations);

    public readonly Span<OldPaymentEntry> OldPayments => List<OldPaymentEntry>(ListId.OldPayments);

    public readonly Span<ProfileEntry> Profile => List<ProfileEntry>(ListId.Profile);

    public readonly Span<RecentEntry> Recent => List<RecentEntry>(ListId.Recent);

    public readonly Span<uint> SeenIds => List<uint>(ListId.SeenIds);

    public readonly Span<SeenEntry> SeenRest => List<SeenEntry>(ListId.SeenRest);

    public readonly Span<Currency> Currencies => List<Currency>(ListId.Currencies);

    /// <summary>Bytes of the block in use, header included.</summary>
    public readonly int BytesUsed => End(ListId.Text) * UnitBytes;

    /// <summary>Entries that the limit counts.</summary>
    public readonly int EntryCount =>
        ItemCount + PaymentCount + Count(ListId.Promises) + Count(ListId.Instructions) + Count(ListId.Amendments) + Count(ListId.Marks);

    private readonly ushort* Counts => (ushort*)block;

    private readonly ushort* Offsets => (ushort*)(block + ListCount * sizeof(ushort));

    /// <summary>Makes a free record a debtor with empty lists.</summary>
    public static HotState Create(ref DebtorRecord record, SlabPool pool, scoped ReadOnlySpan<byte> name)
    {
        const int roomAtFirst = 256;
        record.Block = pool.Allocate(roomAtFirst);
        record.Flags = RecordFlags.Used;
        record.NextTimerMs = long.MaxValue;
        record.CustomerType = ProfileBook.NoCode;
        record.Product = ProfileBook.NoCode;
        record.Region = ProfileBook.NoCode;
        var state = new HotState(ref record, pool);
        new Span<byte>(state.block, HeaderBytes).Clear();
        new Span<ushort>(state.Offsets, ListCount).Fill(HeaderBytes / UnitBytes);
        Settlements.Reset(ref state);
        state.AppendText(name);
        return state;
    }

    /// <summary>Finds the block again: another view of the same debtor may have moved it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Reopen() => block = Pool.Pointer(R.Block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Count(ListId id) => Counts[(int)id];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ref ItemEntry Item(int index) => ref ((ItemEntry*)Start(ListId.Items))[index];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ref PaymentEntry Payment(int index) => ref ((PaymentEntry*)Start(ListId.Payments))[index];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Span<T> List<T>(ListId id)
        where T : unmanaged => new(Start(id), Counts[(int)id]);

    /// <summary>Where a list begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly byte* Pointer(ListId id) => Start(id);

    /// <summary>Appends an entry and returns its place.</summary>
    public int Append<T>(ListId id, in T entry)
        where T : unmanaged
    {
        int index = Counts[(int)id];
        Grow(id, index + 1, sizeof(T));
        ((T*)Start(id))[index] = entry;
        return index;
    }

    /// <summary>Keeps the first entries of a list; its room stays.</summary>
    public readonly void Truncate(ListId id, int count) => Counts[(int)id] = (ushort)count;

    /// <summary>Makes a list so long; what is new has undefined content.</summary>
    public void Grow(ListId id, int count, int size)
    {
        if (Start(id) + count * size > block + End(id) * UnitBytes)
            Widen(id, count, size);
        Counts[(int)id] = (ushort)count;
    }

    /// <summary>Appends strings that belong together and returns where they are.</summary>
    public TextRef AppendText(scoped ReadOnlySpan<byte> first, scoped ReadOnlySpan<byte> second)
    {
        int unit = ReserveText(first.Length + second.Length + 2);
        byte* to = Put(Start(ListId.Text) + unit * 4, first);
        Put(to, second);
        return TextRef.At(unit, first);
    }

    public TextRef AppendText(scoped ReadOnlySpan<byte> only)
    {
        int unit = ReserveText(only.Length + 1);
        Put(Start(ListId.Text) + unit * 4, only);
        return TextRef.At(unit, only);
    }

    public TextRef AppendText(scoped ReadOnlySpan<byte> first, scoped ReadOnlySpan<byte> second, scoped ReadOnlySpan<byte> third, scoped ReadOnlySpan<byte> fourth)
    {
        int unit = ReserveText(first.Length + second.Length + third.Length + fourth.Length + 4);
        byte* to = Put(Start(ListId.Text) + unit * 4, first);
        to = Put(to, second);
        to = Put(to, third);
        Put(to, fourth);
        return TextRef.At(unit, first);
    }

    /// <summary>Appends strings in the form in which they are kept.</summary>
    public TextRef AppendRaw(scoped ReadOnlySpan<byte> strings, ushort hashOfFirst)
    {
        int unit = ReserveText(strings.Length);
        strings.CopyTo(new Span<byte>(Start(ListId.Text) + unit * 4, strings.Length));
        return new TextRef((uint)unit | (uint)hashOfFirst << 16);
    }

    /// <summary>The first of the strings at a place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ReadOnlySpan<byte> Text(TextRef text)
    {
        byte* at = Start(ListId.Text) + text.Unit * 4;
        return new ReadOnlySpan<byte>(at + 1, *at);
    }

    /// <summary>The string so many behind the first one.</summary>
    public readonly ReadOnlySpan<byte> Text(TextRef text, int behind)
    {
        byte* at = Start(ListId.Text) + text.Unit * 4;
        for (; behind > 0; behind--)
            at += 1 + *at;
        return new ReadOnlySpan<byte>(at + 1, *at);
    }

    /// <summary>The id of the event that issued an item.</summary>
    public readonly ReadOnlySpan<byte> IdOf(in ItemEntry item)
    {
        ReadOnlySpan<byte> id = Text(item.Text, 1);
        return id.IsEmpty ? Text(item.Text) : id;
    }

    /// <summary>The place of the first entry whose text begins with a name, or -1. The text is the field of the entry at that offset.</summary>
    public readonly int Find(ListId id, scoped ReadOnlySpan<byte> name, int textOffset, int from = 0)
    {
        int size = Sizes[(int)id];
        ushort hash = TextRef.HashOf(name);
        int count = Counts[(int)id];
        byte* at = Start(id) + textOffset + (long)from * size;
        for (int i = from; i < count; i++, at += size)
        {
            var text = *(TextRef*)at;
            if (text.Hash == hash && Text(text).SequenceEqual(name))
                return i;
        }
        return -1;
    }

    public readonly int FindItem(scoped ReadOnlySpan<byte> name) => Find(ListId.Items, name, 24);

    public readonly int FindPayment(scoped ReadOnlySpan<byte> name) => Find(ListId.Payments, name, 16);

    public readonly int FindPromise(scoped ReadOnlySpan<byte> name) => Find(ListId.Promises, name, 24);

    public readonly int FindMark(scoped ReadOnlySpan<byte> name, int from = 0) => Find(ListId.Marks, name, 8, from);

    public readonly int FindAmendment(scoped ReadOnlySpan<byte> target, int from = 0) => Find(ListId.Amendments, target, 8, from);

    /// <summary>The place of a currency in the debtor's table, appended when new; -1 when the table is full.</summary>
    public int CurrencyIndex(Currency currency)
    {
        int index = Currencies.IndexOf(currency);
        if (index >= 0)
            return index;
        if (Count(ListId.Currencies) == Limits.CurrenciesMax)
            return -1;
        // Which of several is the base currency depends on the order of effect, so the next fold has to look.
        if (Count(ListId.Currencies) > 0)
            R.Flags |= RecordFlags.Stale;
        return Append(ListId.Currencies, currency);
    }

    /// <summary>Moves everything into a block that just fits.</summary>
    public void Pack()
    {
        int bytes = HeaderBytes;
        for (int i = 0; i < ListCount; i++)
            bytes += UnitsFor(Counts[i], Sizes[i]) * UnitBytes;
        uint fresh = Pool.Allocate(bytes);
        byte* to = Pool.Pointer(fresh);
        var offsets = (ushort*)(to + ListCount * sizeof(ushort));
        int unit = HeaderBytes / UnitBytes;
        for (int i = 0; i < ListCount; i++)
        {
            ((ushort*)to)[i] = Counts[i];
            int units = UnitsFor(Counts[i], Sizes[i]);
            Buffer.MemoryCopy(Start((ListId)i), to + unit * UnitBytes, units * UnitBytes, Counts[i] * Sizes[i]);
            if (i > 0)
                offsets[i] = (ushort)unit;
            unit += units;
        }
        offsets[0] = (ushort)unit;
        Pool.Release(R.Block);
        R.Block = fresh;
        block = to;
    }

    /// <summary>The bytes of the block in use, as an image keeps them.</summary>
    public readonly Span<byte> Bytes => new(block, BytesUsed);

    /// <summary>Whether the header of a block that was read is sound: lists in order, inside the block, long enough for their counts.</summary>
    public static bool IsSound(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes)
            return false;
        ReadOnlySpan<ushort> head = MemoryMarshal.Cast<byte, ushort>(bytes[..HeaderBytes]);
        int start = HeaderBytes / UnitBytes;
        for (int i = 0; i < ListCount; i++)
        {
            int end = i == ListCount - 1 ? head[ListCount] : head[ListCount + i + 1];
            if (end < start || head[i] * Sizes[i] > (end - start) * UnitBytes)
                return false;
            start = end;
        }
        return start * UnitBytes == bytes.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly byte* Start(ListId id) => block + (id == ListId.Base ? HeaderBytes / UnitBytes : Offsets[(int)id]) * UnitBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int End(ListId id) => Offsets[(int)id + 1 & ListCount - 1];

    private static int UnitsFor(int count, int size) => (count * size + UnitBytes - 1) / UnitBytes;

    private static byte* Put(byte* to, ReadOnlySpan<byte> text)
    {
        *to = (byte)text.Length;
        text.CopyTo(new Span<byte>(to + 1, text.Length));
        return to + 1 + text.Length;
    }

    private int ReserveText(int bytes)
    {
        int unit = Counts[(int)ListId.Text];
        Invariant.Require(unit + (bytes + 3) / 4 <= ushort.MaxValue, "a debtor's ids stay below 262 KB");
        Grow(ListId.Text, unit + (bytes + 3) / 4, 4);
        *(uint*)(Start(ListId.Text) + (Counts[(int)ListId.Text] - 1) * 4) = 0;
        return unit;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Widen(ListId id, int count, int size)
    {
        // An eighth of slack keeps long lists from moving their neighbours at every entry. Short ones get room for two more entries where
        // these are small, and none where they are large, memory being dearer there.
        int slack = (count >> 3) + (size <= UnitBytes && count > 2 ? 2 : 0);
        int units = UnitsFor(count + slack, size);
        int start = id == ListId.Base ? HeaderBytes / UnitBytes : Offsets[(int)id];
        int end = End(id);
        int added = units - (end - start);
        int total = End(ListId.Text) + added;
        Invariant.Require(total <= ushort.MaxValue, "a debtor's lists stay below 512 KB");
        if (total * UnitBytes > Pool.Capacity(R.Block))
        {
            uint fresh = Pool.Allocate(total * UnitBytes);
            byte* to = Pool.Pointer(fresh);
            Buffer.MemoryCopy(block, to, total * UnitBytes, BytesUsed);
            Pool.Release(R.Block);
            R.Block = fresh;
            block = to;
        }
        int tail = (End(ListId.Text) - end) * UnitBytes;
        Buffer.MemoryCopy(block + end * UnitBytes, block + (end + added) * UnitBytes, tail, tail);
        for (int i = (int)id + 1; i < ListCount; i++)
            Offsets[i] += (ushort)added;
        Offsets[0] += (ushort)added;
    }
}
