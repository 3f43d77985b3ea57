using Collections.Domain.Debtors;
using Collections.Engine.Partitions;

namespace Collections.Engine.Tests.Partitions;

public sealed class DebtorTableTests
{
    /// <summary>More than one page of records, and several sizes of the index.</summary>
    private const int Many = 10_000;

    [Fact]
    public void Everybody_is_found_again_after_the_table_has_grown()
    {
        using var book = new Book();
        for (int i = 0; i < Many; i++)
            Assert.Equal(i, book.Add($"debtor {i}"));
        Assert.Equal(Many, book.Table.Count);
        for (int i = 0; i < Many; i++)
            Assert.Equal(i, book.Find($"debtor {i}"));
        Assert.Equal(-1, book.Find($"debtor {Many}"));
    }

    [Fact]
    public void A_name_belongs_to_its_tenant()
    {
        using var book = new Book();
        int bank = book.Add("d", "bank"), telco = book.Add("d", "telco");
        Assert.Equal(bank, book.Find("d", "bank"));
        Assert.Equal(telco, book.Find("d", "telco"));
        Assert.Equal(-1, book.Find("d", "shop"));
    }

    [Fact]
    public void Two_names_of_one_hash_are_told_apart()
    {
        using var book = new Book();
        int a = book.Table.Create(7, "bank"u8, "a"u8), b = book.Table.Create(7, "bank"u8, "b"u8);
        Assert.Equal(a, book.Table.Find(7, "bank"u8, "a"u8));
        Assert.Equal(b, book.Table.Find(7, "bank"u8, "b"u8));
        Assert.Equal(-1, book.Table.Find(7, "bank"u8, "c"u8));
    }

    [Fact]
    public void Restored_debtors_are_found_where_they_were_and_gaps_stay_free()
    {
        using var from = new Book();
        for (int i = 0; i < 5_000; i++)
            from.Add($"debtor {i}");
        using var to = new DebtorTable(DebtorOptions.Default);
        to.Names.Intern("bank"u8);
        for (int i = 0; i < 5_000; i += 7)
        {
            Debtor debtor = from.Table.Debtor(i);
            byte[] image = new byte[debtor.ImageLength];
            debtor.WriteImage(image);
            Assert.Equal(ImageStatus.Read, to.Restore(i, image));
        }
        for (int i = 0; i < 4_998; i++)
        {
            byte[] name = Book.Utf8($"debtor {i}");
            Assert.Equal(i % 7 == 0 ? i : -1, to.Find(DebtorKey.HashOf("bank"u8, name), "bank"u8, name));
            Assert.Equal(i % 7 != 0, to.Record(i).IsFree);
        }
    }

    [Fact]
    public void A_damaged_image_leaves_its_slot_free()
    {
        using var from = new Book();
        Debtor debtor = from.Table.Debtor(from.Add("a"));
        byte[] image = new byte[debtor.ImageLength];
        debtor.WriteImage(image);
        image[^1] ^= 1;
        using var to = new DebtorTable(DebtorOptions.Default);
        Assert.Equal(ImageStatus.Corrupt, to.Restore(0, image));
        Assert.True(to.Record(0).IsFree);
    }
}
