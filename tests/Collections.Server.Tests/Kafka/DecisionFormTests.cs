using System.Text;
using Collections.Engine.Logs;
using Collections.Engine.Publishing;
using Collections.Engine.Stores;
using Collections.Scoring.Reasons;
using Collections.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Collections.Server.Tests.Kafka;

/// <summary>The engine writes decisions by hand; the classes that are generated from the contract read them back.</summary>
public sealed class DecisionFormTests
{
    private const long AtMs = 1_772_438_400_123;

    private static readonly LeaseRow Lease = new(
        3, 1041, "bank", "dëbtor", "main/voice", Domain.Events.Channel.Voice, "dialer 7", "request 9", AtMs, AtMs + 300_000, 142.51, 0.593, 65_535,
        new StreamPositions(0, 127, long.MaxValue), LeaseState.Open)
    { Reasons = new([new(6, -0.75), new(65_535, 1e-300)]) };

    public static TheoryData<AuditKind, string, string> Acts => new()
    {
        { AuditKind.LeaseGranted, "", """{ "granted": { "value": 142.51, "propensity": 0.593, "model": 65535, "expires": "2026-03-02T08:05:00.123Z", "reasons": [ { "code": 6, "contribution": -0.75 }, { "code": 65535, "contribution": 1E-300 } ], "positions": [ "0", "127", "9223372036854775807" ], "requestId": "request 9" } }""" },
        { AuditKind.LeaseReported, "", """{ "reported": { "outcome": "VOICEMAIL" } }""" },
        { AuditKind.LeaseReleased, "", """{ "released": { } }""" },
        { AuditKind.LeaseExpired, "", """{ "expired": { } }""" },
        { AuditKind.LeaseVoided, "the debtor paid", """{ "voided": { "reason": "the debtor paid" } }""" },
    };

    [Theory]
    [MemberData(nameof(Acts))]
    public void Every_act_is_read_back_as_it_was_written(AuditKind kind, string why, string act)
    {
        OutboxMessage message = MessageOf(kind, Lease, why, 77);
        Decision expected = JsonParser.Default.Parse<Decision>(act);
        expected.MergeFrom(new Decision
        {
            Partition = 3,
            Sequence = 77,
            At = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(AtMs)),
            Tenant = "bank",
            Debtor = "dëbtor",
            Lease = "3-1041",
            Queue = "main/voice",
            Channel = Channel.Voice,
            Caller = "dialer 7",
        });
        Assert.Equal(expected, Decision.Parser.ParseFrom(message.Value));
        Assert.Empty(Decision.Parser.ParseFrom(message.Value).ToByteArray().Order().Except(message.Value.Order()));
        Assert.Equal(expected.CalculateSize(), message.Value.Length);
        Assert.Equal("bank/dëbtor", Encoding.UTF8.GetString(message.Key!));
        Assert.Equal(["id=3-77", "content-type=application/x-protobuf"], message.Headers.Select(header => $"{header.Name}={Encoding.UTF8.GetString(header.Value)}"));
    }

    [Fact]
    public void What_is_nothing_is_left_out_and_no_propensity_is_not_a_number()
    {
        LeaseRow bare = Lease with { Partition = 0, Propensity = double.NaN, ModelVersion = 0, Reasons = default, RequestId = "", Value = 0, Caller = "", DecidedAt = default, ExpiresMs = 0 };
        Decision read = Decision.Parser.ParseFrom(MessageOf(AuditKind.LeaseGranted, bare, "", 1).Value);
        Assert.Equal((0, 1L, "", 0), (read.Partition, read.Sequence, read.Caller, read.Granted.Model));
        Assert.True(double.IsNaN(read.Granted.Propensity));
        Assert.Equal(new Timestamp(), read.Granted.Expires);
        Assert.Equal([0L, 0L, 0L], read.Granted.Positions);
        Assert.Empty(read.Granted.Reasons);
    }

    [Theory]
    [InlineData(-1, "1969-12-31T23:59:59.999Z")]
    [InlineData(-1_000, "1969-12-31T23:59:59Z")]
    [InlineData(0, "1970-01-01T00:00:00Z")]
    [InlineData(999, "1970-01-01T00:00:00.999Z")]
    public void Instants_are_read_back_whichever_side_of_the_epoch_they_are_on(long atMs, string expected) =>
        Assert.Equal($"\"{expected}\"", Decision.Parser.ParseFrom(new DecisionWriter().Write(atMs, AuditKind.LeaseReleased, Lease)).At.ToString());

    private static OutboxMessage MessageOf(AuditKind kind, LeaseRow lease, string why, long sequence) => OutboxMessage.Of(
        lease.Partition, new OutboxRow(sequence, OutboxKind.Decision, new DecisionWriter().Write(AtMs, kind, lease, why, Domain.Events.AttemptOutcome.Voicemail)));
}
