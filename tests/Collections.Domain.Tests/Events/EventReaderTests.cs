using System.Text;
using Collections.Domain.Events;

namespace Collections.Domain.Tests.Events;

/// <summary>What comes in from outside: read in full, or refused with the field and the value.</summary>
public class EventReaderTests
{
    private const long KnownMs = 1_700_000_000_000;
    private static readonly Currency Eur = Currency.Parse("EUR");
    private static readonly Day Today = Day.Of(new DateOnly(2024, 5, 1));
    private static readonly EventWriter Writer = new();

    private static EventAddress Address => new() { Tenant = "bank"u8, Debtor = "d1"u8, Id = "e1"u8, Effective = Today };

    [Fact]
    public void Every_kind_that_is_written_is_read_again()
    {
        foreach (byte[] content in All())
        {
            Assert.True(EventReader.TryRead(content, KnownMs, history: true, out Event e, out EventError error), error.ToString());
            Assert.True(BodyReader.Check(e, out error), error.ToString());
            Assert.Equal("bank/d1/e1", $"{Text(e.Head.Tenant)}/{Text(e.Head.Debtor)}/{Text(e.Head.Id)}");
            Assert.Equal(Today, e.Head.Effective);
            Assert.Equal(KnownMs, e.Head.KnownMs);
            Assert.True(e.Head.History);
            Assert.Equal(EventKinds.StreamOf(e.Head.Kind), e.Head.Stream);
        }
        Assert.Equal(Enum.GetValues<EventKind>().Length - 1, All().Count);
    }

    [Theory]
    [InlineData(KnownMs, true)]
    [InlineData(KnownMs + 999, false)]
    [InlineData(-1, true)]
    public void Delivery_fields_that_are_put_back_are_taken_out_again(long knownMs, bool history)
    {
        foreach (byte[] content in All())
        {
            byte[] whole = DeliveryFields.Restore(content, knownMs, history);
            byte[] stripped = new byte[whole.Length];
            long foundMs = 7;
            bool foundHistory = false;
            int length = EventReader.StripDelivery(whole, stripped, ref foundMs, ref foundHistory);
            Assert.Equal(content, stripped.AsSpan(0, length).ToArray());
            Assert.Equal((knownMs < 0 ? 7 : knownMs, history), (foundMs, foundHistory));
        }
    }

    [Fact]
    public void What_can_not_be_stripped_is_not_taken_for_a_shorter_event()
    {
        byte[] content = Writer.ItemAdjusted(Address, "i1"u8, -5, Eur).ToArray();
        long knownMs = 7;
        bool history = false;
        byte[] room = new byte[content.Length + 20];
        Assert.Equal(-1, EventReader.StripDelivery([.. content, 0x0a, 0x50], room, ref knownMs, ref history));
        // Known in the year 1969.
        Assert.Equal(-1, EventReader.StripDelivery([.. content, 0x32, 0x0b, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], room, ref knownMs, ref history));
        Assert.Equal((7, false), (knownMs, history));
    }

    [Fact]
    public void An_undecoded_record_keeps_its_bytes_and_tells_its_reason()
    {
        byte[] content = UndecodedRecord.Of("is no JSON", "{"u8);
        Assert.Equal([0, 10, 0, .. "is no JSON{"u8], content);
        Assert.True(UndecodedRecord.TryRead(content, out string reason, out ReadOnlySpan<byte> payload));
        Assert.Equal(("is no JSON", "{"), (reason, Text(payload)));
        Assert.False(EventReader.TryRead(content, KnownMs, history: false, out _, out EventError error));
        Assert.Equal(("event", "is no JSON"), (error.Field, error.Problem));
        Assert.True(UndecodedRecord.TryRead(UndecodedRecord.Of(new string('é', 2_000), []), out reason, out _));
        Assert.Equal(new string('é', UndecodedRecord.ReasonBytesMax / 2), reason);
        foreach (byte[] other in (byte[][])[[], [0], [0, 5, 0, 1], .. All()])
            Assert.False(UndecodedRecord.TryRead(other, out _, out _));
    }

    [Fact]
    public void An_item_comes_back_as_it_was_written()
    {
        byte[] content = Writer.ItemIssued(Address, "i1"u8, Component.Interest, 123_456_789_012, Eur, Today.Plus(30), "acc"u8).ToArray();
        Assert.True(EventReader.TryRead(content, KnownMs, history: false, out Event e, out EventError error));
        Assert.True(BodyReader.TryRead(e.Body, out ItemIssued issued, ref error));
        Assert.Equal("i1 acc", $"{Text(issued.Item)} {Text(issued.Account)}");
        Assert.Equal((Component.Interest, 123_456_789_012, Eur, Today.Plus(30)), (issued.Component, issued.AmountMinor, issued.Currency, issued.Due));
    }

    [Fact]
    public void Allocations_come_back_in_the_payers_order()
    {
        byte[] content = Writer.PaymentReceived(Address, 100, Eur, [("b"u8.ToArray(), 60), ("a"u8.ToArray(), 40)]).ToArray();
        Assert.True(EventReader.TryRead(content, KnownMs, history: false, out Event e, out EventError error));
        Assert.True(BodyReader.TryRead(e.Body, out PaymentReceived received, ref error));
        string read = "";
        foreach (ExplicitAllocation allocation in received.Allocations)
            read += $"{Text(allocation.Item)}:{allocation.AmountMinor} ";
        Assert.Equal("b:60 a:40 ", read);
    }

    [Fact]
    public void A_negative_adjustment_keeps_its_sign()
    {
        byte[] content = Writer.ItemAdjusted(Address, "i1"u8, -5, Eur).ToArray();
        Assert.True(EventReader.TryRead(content, KnownMs, history: false, out Event e, out EventError error));
        Assert.True(BodyReader.TryRead(e.Body, out ItemAdjusted adjusted, ref error));
        Assert.Equal(-5, adjusted.AmountMinor);
    }

    [Fact]
    public void An_instant_is_kept_to_the_millisecond()
    {
        EventAddress at = new() { Debtor = "d1"u8, Id = "e1"u8, EffectiveMs = KnownMs + 123 };
        byte[] content = Writer.AttemptReported(at, Channel.Voice, AttemptOutcome.Busy, "lease"u8).ToArray();
        Assert.True(EventReader.TryRead(content, KnownMs, history: false, out Event e, out _));
        Assert.Equal(KnownMs + 123, e.Head.EffectiveMs);
        Assert.Equal("default", Text(e.Head.Tenant));
    }

    [Fact]
    public void Without_a_date_an_event_is_effective_when_it_is_known()
    {
        byte[] content = Writer.ItemCancelled(new EventAddress { Debtor = "d"u8, Id = "e"u8 }, "i"u8).ToArray();
        Assert.True(EventReader.TryRead(content, KnownMs, history: false, out Event e, out _));
        Assert.Equal(KnownMs, e.Head.EffectiveMs);
        Assert.Equal(Day.OfMs(KnownMs), e.Head.Effective);
    }

    [Fact]
    public void A_truncated_event_is_refused_or_lacks_a_field_but_never_throws()
    {
        foreach (byte[] content in All())
        {
            for (int length = 0; length < content.Length; length++)
            {
                bool read = EventReader.TryRead(content.AsSpan(0, length), KnownMs, history: false, out Event e, out EventError error);
                Assert.False(read && e.Head.Kind != EventKind.ImportEnded && BodyReader.Check(e, out error));
                Assert.NotEmpty(error.Field ?? "");
            }
        }
    }

    [Fact]
    public void Any_bytes_are_read_or_refused_but_never_throw()
    {
        var random = new Random(7);
        foreach (byte[] content in All())
        {
            for (int i = 0; i < 500; i++)
            {
                byte[] altered = [.. content];
                altered[random.Next(altered.Length)] = (byte)random.Next(256);
                if (EventReader.TryRead(altered, KnownMs, history: false, out Event e, out _))
                    BodyReader.Check(e, out _);
            }
        }
    }

    public static TheoryData<string, string> Refused => new()
    {
        { "debtor", "1:bank 3:e1 20{1:i1 4{1=5 2:EUR} 5:2024-05-31}" },
        { "id", "1:bank 2:d1 20{1:i1 4{1=5 2:EUR} 5:2024-05-31}" },
        { "tenant", "1:a/b 2:d1 3:e1 20{1:i1 4{1=5 2:EUR} 5:2024-05-31}" },
        { "body", "2:d1 3:e1" },
        { "body", "2:d1 3:e1 63{1:x}" },
        { "effective_date", "2:d1 3:e1 4:2024-02-30 22{1:i1}" },
        { "effective_at", "2:d1 3:e1 5{1=1} 22{1:i1}" },
        { "item", "2:d1 3:e1 20{4{1=5 2:EUR} 5:2024-05-31}" },
        { "amount.minor_units", "2:d1 3:e1 20{1:i1 5:2024-05-31}" },
        { "amount.minor_units", "2:d1 3:e1 20{1:i1 4{1=0 2:EUR} 5:2024-05-31}" },
        { "amount.minor_units", "2:d1 3:e1 20{1:i1 4{1=1000000000000001 2:EUR} 5:2024-05-31}" },
        { "amount.currency", "2:d1 3:e1 20{1:i1 4{1=5} 5:2024-05-31}" },
        { "amount.currency", "2:d1 3:e1 20{1:i1 4{1=5 2:XXX} 5:2024-05-31}" },
        { "due_date", "2:d1 3:e1 20{1:i1 4{1=5 2:EUR}}" },
        { "component", "2:d1 3:e1 20{1:i1 3=9 4{1=5 2:EUR} 5:2024-05-31}" },
        { "item", "2:d1 3:e1 21{2{1=5 2:EUR}}" },
        { "amount.minor_units", "2:d1 3:e1 21{1:i1}" },
        { "item", "2:d1 3:e1 22{}" },
        { "due_date", "2:d1 3:e1 23{1:i1}" },
        { "amount.minor_units", "2:d1 3:e1 40{}" },
        { "allocations", "2:d1 3:e1 40{1{1=5 2:EUR} 2{1:i1 2=6}}" },
        { "allocations.item", "2:d1 3:e1 40{1{1=5 2:EUR} 2{2=5}}" },
        { "allocations.minor_units", "2:d1 3:e1 40{1{1=5 2:EUR} 2{1:i1}}" },
        { "payment", "2:d1 3:e1 41{}" },
        { "amount.minor_units", "2:d1 3:e1 42{}" },
        { "preferred_channel", "2:d1 3:e1 60{5=8}" },
        { "channel", "2:d1 3:e1 61{2=1}" },
        { "outcome", "2:d1 3:e1 61{1=1}" },
        { "channel", "2:d1 3:e1 62{2=1}" },
        { "kind", "2:d1 3:e1 62{1=1 2=5}" },
        { "due_date", "2:d1 3:e1 65{1{1=5 2:EUR}}" },
        { "amount.minor_units", "2:d1 3:e1 65{2:2024-05-31}" },
        { "promise", "2:d1 3:e1 66{}" },
        { "dispute", "2:d1 3:e1 72{}" },
        { "channel", "2:d1 3:e1 74{3=8}" },
        { "until_date", "2:d1 3:e1 79{2:soon}" },
        { "hold", "2:d1 3:e1 80{}" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_missing_or_wrong_is_named(string field, string fields)
    {
        byte[] content = Wire.Encode(fields);
        bool read = EventReader.TryRead(content, KnownMs, history: false, out Event e, out EventError error);
        Assert.False(read && BodyReader.Check(e, out error));
        Assert.Equal(field, error.Field);
        Assert.NotEmpty(error.Problem);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private static List<byte[]> All() =>
    [
        Writer.ItemIssued(Address, "i1"u8, Component.Fee, 5, Eur, Today).ToArray(),
        Writer.ItemAdjusted(Address, "i1"u8, 5, Eur).ToArray(),
        Writer.ItemCancelled(Address, "i1"u8).ToArray(),
        Writer.DueDateChanged(Address, "i1"u8, Today).ToArray(),
        Writer.PaymentReceived(Address, 5, Eur).ToArray(),
        Writer.PaymentReversed(Address, "p1"u8).ToArray(),
        Writer.PaymentFailed(Address, 5, Eur).ToArray(),
        Writer.DebtorRegistered(Address, "retail"u8, [("customer_type", "2")], Channel.Email).ToArray(),
        Writer.AttemptReported(Address, Channel.Sms, AttemptOutcome.Delivered).ToArray(),
        Writer.ContactReceived(Address, Channel.Sms, ContactKind.Reply).ToArray(),
        Writer.PromiseMade(Address, 5, Eur, Today).ToArray(),
        Writer.PromiseCancelled(Address, "q1"u8).ToArray(),
        Writer.DisputeOpened(Address, "i1"u8, 3).ToArray(),
        Writer.DisputeResolved(Address, "x1"u8).ToArray(),
        Writer.PreferencesChanged(Address, "UTC", "en", Channel.Voice).ToArray(),
        Writer.HoldPlaced(Address, "review", Today).ToArray(),
        Writer.HoldReleased(Address, "h1"u8).ToArray(),
        Writer.ImportEnded(Address).ToArray(),
    ];
}
