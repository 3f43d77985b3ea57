using Collections.Domain.Events;
using Collections.Engine.Queues;
using Collections.Engine.Stores;

namespace Collections.Engine.Tests.Queues;

/// <summary>What callers write by hand: names of queues and of leases.</summary>
public sealed class NamesTests
{
    [Theory]
    [InlineData("cards/voice", "cards", Channel.Voice)]
    [InlineData("cards/VOICE", "cards", Channel.Voice)]
    [InlineData("a/b/sms", "a/b", Channel.Sms)]
    [InlineData("default/letter", "default", Channel.Letter)]
    public void A_queue_is_named_by_portfolio_and_channel(string text, string portfolio, Channel channel)
    {
        Assert.True(QueueName.TryParse(text, out QueueName name));
        Assert.Equal(new QueueName(portfolio, channel), name);
        Assert.Equal(text.ToLowerInvariant(), name.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("cards")]
    [InlineData("/voice")]
    [InlineData("cards/")]
    [InlineData("cards/none")]
    [InlineData("cards/pigeon")]
    [InlineData("cards/1")]
    [InlineData("cards/ voice")]
    [InlineData("cards/voice, sms")]
    public void Anything_else_is_no_queue(string text) => Assert.False(QueueName.TryParse(text, out _));

    [Theory]
    [InlineData("3-1041", 3, 1041u)]
    [InlineData("0-0", 0, 0u)]
    [InlineData("2147483647-4294967295", int.MaxValue, uint.MaxValue)]
    public void A_lease_is_named_by_partition_and_number(string text, int partition, uint sequence)
    {
        Assert.True(LeaseRow.Ids.TryParse(text, out int p, out uint s));
        Assert.Equal((partition, sequence), (p, s));
        Assert.Equal(text, LeaseRow.Ids.Format(p, s));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("3")]
    [InlineData("3-")]
    [InlineData("-3")]
    [InlineData("3--1")]
    [InlineData("+3-1")]
    [InlineData("3- 1")]
    [InlineData("3-4294967296")]
    [InlineData("2147483648-1")]
    [InlineData("three-one")]
    public void Anything_else_is_no_lease(string text) => Assert.False(LeaseRow.Ids.TryParse(text, out _, out _));
}
