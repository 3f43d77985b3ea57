using Collections.Domain.Events;
using Collections.Engine.Stores;
using Collections.Storage.Logs;
using Collections.Storage.Stores;

namespace Collections.Storage.Tests;

/// <summary>The bytes on disk. Where one of these fails, files written by earlier versions can't be read: give the form a new version instead.</summary>
public sealed class PersistedFormTests
{
    [Fact]
    public void A_checkpoints_header_has_the_bytes_that_it_always_had()
    {
        byte[] bytes = new byte[CheckpointHeaderForm.Bytes];
        CheckpointHeaderForm.Write(bytes, StoreSamples.Header(3));
        Assert.Equal(
            "7D0F23FA0100000003000000000000000600000000000000FCFFFFFFFFFFFF7FFDFFFFFFFFFFFFFFFCFFFFFF03000000"
            + "F9FFFFFF0100000003000000000000000100000000000000020000000000000003000000000000000000000000000080", Convert.ToHexString(bytes));
        Assert.Null(CheckpointHeaderForm.TryRead(bytes, out CheckpointHeader read));
        Assert.Equal(StoreSamples.Header(3), read);
    }

    [Fact]
    public void A_block_has_the_bytes_that_it_always_had()
    {
        byte[] block = new byte[LogBlock.HeaderBytes + 2 * LogBlock.HeadBytes + 5];
        LogBlock.WriteHead(block.AsSpan(LogBlock.HeaderBytes), 1_772_438_400_000, 0x0123456789abcdef, 2, history: true);
        LogBlock.WriteHead(block.AsSpan(LogBlock.HeaderBytes + LogBlock.HeadBytes), 1_772_438_400_001, 1, 3, history: false);
        "abcde"u8.CopyTo(block.AsSpan(LogBlock.HeaderBytes + 2 * LogBlock.HeadBytes));
        LogBlock.Seal(block, partition: 3, EventStream.Payments, first: 1000, count: 2);
        Assert.Equal(
            "8DA5199101000100E8030000000000000300000002000000050000000000000000AC8FAD9C010000EFCDAB8967452301"
            + "0200008001AC8FAD9C0100000100000000000000030000006162636465", Convert.ToHexString(block));
        Assert.Null(LogBlock.FindFault(block, 3, EventStream.Payments, 1000));
    }

    [Fact]
    public void A_bucket_of_postings_has_the_bytes_that_it_always_had()
    {
        byte[] row = new byte[PostingBucket.HeaderBytes + PostingBucket.PostingBytes];
        ulong spread = PostingBucket.Spread(7);
        PostingBucket.Write(row, PostingBucket.RowOf(2, PostingBucket.BucketOf(spread)), [spread], [new Place(EventStream.Activity, 5).Value]);
        Assert.Equal(
            "AD52865E010000009364097B125484530500000000000080", Convert.ToHexString(row));
        Assert.Equal(1024 + 167, PostingBucket.RowOf(2, PostingBucket.BucketOf(spread)));
    }

    [Fact]
    public void A_leases_reasons_have_the_bytes_that_they_always_had()
    {
        Assert.Equal("0600000000000000E8BFFFFF01000000000000000100" + "59F3F8C21F6EA501", Convert.ToHexString(ReasonsForm.Write(StoreSamples.Reasons)));
        Assert.Equal(StoreSamples.Reasons, ReasonsForm.Read(ReasonsForm.Write(StoreSamples.Reasons)));
        Assert.Equal(default, ReasonsForm.Read([]));
        Assert.Empty(ReasonsForm.Write(default));
    }

    [Fact]
    public void Every_flipped_bit_of_a_block_is_seen()
    {
        byte[] block = new byte[LogBlock.HeaderBytes + LogBlock.HeadBytes + 30];
        LogBlock.WriteHead(block.AsSpan(LogBlock.HeaderBytes), 1, 2, 30, history: false);
        LogBlock.Seal(block, partition: 0, EventStream.Invoices, first: 0, count: 1);
        for (int bit = 0; bit < block.Length * 8; bit++)
        {
            block[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.NotNull(LogBlock.FindFault(block, 0, EventStream.Invoices, 0));
            block[bit / 8] ^= (byte)(1 << bit % 8);
        }
        for (int length = 0; length < block.Length; length++)
            Assert.NotNull(LogBlock.FindFault(block.AsSpan(0, length), 0, EventStream.Invoices, 0));
    }
}
