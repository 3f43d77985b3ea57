using System.Text;
using Collections.Domain.Debtors;
using Collections.Engine.Partitions;

namespace Collections.Engine.Tests;

/// <summary>A table of debtors with short names, for tests of what stands on it.</summary>
internal sealed class Book : IDisposable
{
    public DebtorTable Table { get; } = new(DebtorOptions.Default);

    public int Add(string name, string tenant = "bank") => Table.Create(HashOf(name, tenant), Utf8(tenant), Utf8(name));

    public int Find(string name, string tenant = "bank") => Table.Find(HashOf(name, tenant), Utf8(tenant), Utf8(name));

    public string NameOf(int slot) => Encoding.UTF8.GetString(Table.Debtor(slot).Name);

    public void Dispose() => Table.Dispose();

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static ulong HashOf(string name, string tenant) => DebtorKey.HashOf(Utf8(tenant), Utf8(name));
}
