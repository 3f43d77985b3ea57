using System.Buffers;
using System.IO.Pipelines;
using Collections.Grpc.Tests.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Grpc.Tests;

public sealed class WireFormatTests
{
    [Theory]
    [InlineData("1n", 1)]
    [InlineData("250n", 3)]
    [InlineData("7u", 70)]
    [InlineData("7m", 70_000)]
    [InlineData("7S", 70_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("1H", 36_000_000_000)]
    [InlineData("0S", 0)]
    public void Timeouts_are_read_in_every_unit(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Fact]
    public void Timeout_past_the_end_of_time_is_the_longest()
    {
        Assert.True(GrpcTimeout.TryParse("99999999H", out var timeout));
        Assert.True(timeout > TimeSpan.FromDays(4_000_000));
    }

    [Theory]
    [InlineData(1, "1u")]
    [InlineData(10, "1u")]
    [InlineData(11, "2u")]
    [InlineData(999_999_990, "99999999u")]
    [InlineData(1_000_000_000, "100000m")]
    [InlineData(1_000_000_001, "100001m")]
    [InlineData(864_000_000_000, "86400000m")]
    [InlineData(3_600_000_000_000_001, "6000001M")]
    [InlineData(1_000_000_000_000_000_000, "27777778H")]
    public void Timeouts_are_written_in_the_finest_unit_that_holds_them_and_never_shortened(long ticks, string text)
    {
        Assert.Equal(text, GrpcTimeout.Format(TimeSpan.FromTicks(ticks)));
        Assert.True(GrpcTimeout.TryParse(text, out var parsed));
        Assert.True(parsed.Ticks >= ticks);
    }

    [Theory]
    [InlineData("plain, as it is", "plain, as it is")]
    [InlineData("100%", "100%25")]
    [InlineData("a\nb", "a%0Ab")]
    [InlineData("ü€😀", "%C3%BC%E2%82%AC%F0%9F%98%80")]
    public void Status_messages_are_percent_encoded(string detail, string encoded)
    {
        Assert.Equal(encoded, StatusMessage.Encode(detail));
        Assert.Equal(detail, StatusMessage.Decode(encoded));
    }

    [Theory]
    [InlineData("50% off", "50% off")]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz%41", "%zzA")]
    public void Broken_percent_encoding_is_kept_as_it_is(string message, string decoded) =>
        Assert.Equal(decoded, StatusMessage.Decode(message));

    [Theory]
    [InlineData("UPPER-case.1_x", "upper-case.1_x")]
    public void Metadata_keys_are_in_lower_case(string key, string expected) =>
        Assert.Equal(expected, new Metadata { { key, "v" } }[0].Key);

    [Fact]
    public void Metadata_that_can_not_be_sent_is_refused_where_it_is_made()
    {
        var metadata = new Metadata();
        Assert.Throws<ArgumentException>(() => metadata.Add("white space", "v"));
        Assert.Throws<ArgumentException>(() => metadata.Add("text", "ü"));
        Assert.Throws<ArgumentException>(() => metadata.Add("bytes-bin", "text"));
        Assert.Throws<ArgumentException>(() => metadata.Add("text", new byte[] { 1 }));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "b"));
        Assert.Empty(metadata);
    }

    [Fact]
    public async Task Messages_are_read_however_the_bytes_are_cut()
    {
        var request = new EchoRequest { Text = "hello", Payload = ByteString.CopyFrom(1, 2, 3) };
        var marshaller = BufferMarshaller();
        using var frames = new PooledBufferWriter(1);
        var writer = new MessageFrameWriter(frames, 1000);
        for (var i = 0; i < 3; i++)
            writer.Write(request, marshaller);

        for (var cut = 1; cut <= frames.Written.Length; cut++)
        {
            var pipe = new Pipe();
            var reader = new MessageFrameReader(pipe.Reader, 1000, MessageEncoding.Identity);
            var filling = FillAsync(pipe.Writer, frames.Written, cut);
            for (var i = 0; i < 3; i++)
                Assert.Equal(request, await reader.ReadAsync(marshaller, CancellationToken.None));
            Assert.Null(await reader.ReadAsync(marshaller, CancellationToken.None));
            await filling;
        }
    }

    [Fact]
    public void Serializer_that_fails_halfway_leaves_a_frame_known_as_broken()
    {
        var target = new ArrayBufferWriter<byte>();
        var writer = new MessageFrameWriter(target, 1000);
        var failing = Marshallers.Create<string>(
            (_, context) =>
            {
                context.SetPayloadLength(10);
                context.GetBufferWriter();
                throw new InvalidOperationException("halfway");
            },
            _ => "");
        Assert.Throws<InvalidOperationException>(() => writer.Write("a", failing));
        Assert.True(writer.IsBroken);
    }

    [Fact]
    public void Message_over_the_limit_leaves_nothing_behind()
    {
        var target = new ArrayBufferWriter<byte>();
        var writer = new MessageFrameWriter(target, 3);
        Assert.Throws<RpcException>(() => writer.Write("four", Marshallers.StringMarshaller));
        Assert.False(writer.IsBroken);
        Assert.Equal(0, target.WrittenCount);
    }

    private static Marshaller<EchoRequest> BufferMarshaller() => Marshallers.Create<EchoRequest>(
        (message, context) =>
        {
            context.SetPayloadLength(message.CalculateSize());
            message.WriteTo(context.GetBufferWriter());
            context.Complete();
        },
        context => EchoRequest.Parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    private static async Task FillAsync(PipeWriter writer, ReadOnlyMemory<byte> bytes, int cut)
    {
        for (var at = 0; at < bytes.Length; at += cut)
            await writer.WriteAsync(bytes.Slice(at, Math.Min(cut, bytes.Length - at)));
        await writer.CompleteAsync();
    }
}
