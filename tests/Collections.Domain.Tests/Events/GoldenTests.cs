using System.Globalization;
using System.Runtime.CompilerServices;
using Collections.Domain.Debtors;
using Collections.Domain.Events;

namespace Collections.Domain.Tests.Events;

/// <summary>Numbers and layouts that are persisted. A failure means that old data would be read wrongly: add, never change.</summary>
public class GoldenTests
{
    [Fact]
    public void Persisted_numbers_of_enums_stand()
    {
        Assert.Equal("Invoices=0 Payments=1 Activity=2", Numbers<EventStream>());
        Assert.Equal(
            "None=0 ItemIssued=20 ItemAdjusted=21 ItemCancelled=22 DueDateChanged=23 PaymentReceived=40 PaymentReversed=41 PaymentFailed=42 DebtorRegistered=60 "
            + "AttemptReported=61 ContactReceived=62 PromiseMade=65 PromiseCancelled=66 DisputeOpened=71 DisputeResolved=72 PreferencesChanged=74 HoldPlaced=79 HoldReleased=80 ImportEnded=84",
            Numbers<EventKind>());
        Assert.Equal("Fee=0 Interest=1 Principal=2", Numbers<Component>());
        Assert.Equal("None=0 Voice=1 Sms=2 Email=3 Letter=4 Portal=5 Chatbot=6 Field=7", Numbers<Channel>());
        Assert.Equal("None=0 RightParty=1 WrongParty=2 NoAnswer=3 Voicemail=4 Busy=5 OutOfService=6 Delivered=7 Bounced=8 Unconfirmed=9", Numbers<AttemptOutcome>());
        Assert.Equal("None=0 Reply=1 Click=2 InboundCall=3 OptOut=4", Numbers<ContactKind>());
        Assert.Equal("None=0 Used=1 Quiet=2 Stale=4 SettlementsStale=8 Dropped=16 Registered=32", Numbers<RecordFlags>());
        Assert.Equal("None=0 Issue=1 Adjust=2 Redate=3 Cancel=4 Payment=5", Numbers<LedgerOrder>());
        Assert.Equal("Registration=1 Channel=2 TimeZone=3 Language=4", Numbers<ProfileField>());
        Assert.Equal("Open=0 Kept=1 Broken=2 Cancelled=3", Numbers<PromiseState>());
    }

    [Fact]
    public void Record_and_entries_have_their_sizes()
    {
        Assert.Equal(2, DebtorImage.LayoutVersion);
        Assert.Equal(272, Unsafe.SizeOf<DebtorRecord>());
        Assert.Equal(88, Unsafe.SizeOf<ActedState>());
        Assert.Equal(BaseEntry.Bytes, Unsafe.SizeOf<BaseEntry>());
        Assert.Equal(40, Unsafe.SizeOf<ItemEntry>());
        Assert.Equal(24, Unsafe.SizeOf<PaymentEntry>());
        Assert.Equal(16, Unsafe.SizeOf<AllocationEntry>());
        Assert.Equal(24, Unsafe.SizeOf<InstructionEntry>());
        Assert.Equal(16, Unsafe.SizeOf<AmendmentEntry>());
        Assert.Equal(40, Unsafe.SizeOf<PromiseEntry>());
        Assert.Equal(24, Unsafe.SizeOf<MarkEntry>());
        Assert.Equal(16, Unsafe.SizeOf<OldPaymentEntry>());
        Assert.Equal(16, Unsafe.SizeOf<ProfileEntry>());
        Assert.Equal(8, Unsafe.SizeOf<RecentEntry>());
        Assert.Equal(8, Unsafe.SizeOf<SeenEntry>());
    }

    [Fact]
    public void The_catalogue_names_each_feature_once_and_knows_which_are_fed()
    {
        Assert.Equal(FeatureCatalogue.Count, FeatureCatalogue.Names.Length);
        for (int i = 0; i < FeatureCatalogue.Count; i++)
            Assert.Equal(i, FeatureCatalogue.IndexOf(FeatureCatalogue.Names[i]));
        Assert.Equal(-1, FeatureCatalogue.IndexOf("no such feature"));
        Assert.Equal(FeatureIndex.Region, FeatureCatalogue.IndexOf("region"));
        Assert.Equal(FeatureIndex.Stage, FeatureCatalogue.IndexOf("stage"));
        Assert.Equal(FeatureIndex.Payments90d, FeatureCatalogue.IndexOf("payments_90d"));
        Assert.Equal(FeatureIndex.ResponseRate, FeatureCatalogue.IndexOf("response_rate"));
        Assert.False(FeatureCatalogue.IsFed(FeatureCatalogue.IndexOf("plan_active")));
        Assert.True(FeatureCatalogue.IsFed(FeatureCatalogue.IndexOf("open_balance")));
    }

    private static string Numbers<T>()
        where T : struct, Enum => string.Join(' ', Enum.GetValues<T>().OrderBy(static v => Convert.ToInt64(v, CultureInfo.InvariantCulture)).Select(static v => $"{v}={Convert.ToInt64(v, CultureInfo.InvariantCulture)}"));
}
