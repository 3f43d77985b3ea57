namespace Collections.Domain.Debtors;

/// <summary>
/// Gives small numbers to the few names that many debtors share: tenants, portfolios, time zones, languages. Append-only: an id means
/// the same name for ever, and the owner persists the names in order of id. One writer.
/// </summary>
public sealed class NameTable
{
    /// <summary>Why a name is not taken.</summary>
    public const string Full = "is one more than the 65,534 tenants, portfolios, time zones and languages that a partition can have";

    private readonly List<byte[]> names = [[]];
    private readonly Dictionary<byte[], ushort> ids = new(ByteComparer.Instance);
    private readonly Dictionary<byte[], ushort>.AlternateLookup<ReadOnlySpan<byte>> lookup;

    public NameTable() => lookup = ids.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>Names in the table; their ids are 1 to this number. Id 0 is the empty name.</summary>
    public int Count => names.Count - 1;

    /// <summary>The name of an id, empty for 0.</summary>
    public ReadOnlySpan<byte> this[ushort id] => names[id];

    /// <summary>Whether <see cref="Intern"/> can take the name: it is there, or there is room for it.</summary>
    public bool CanTake(ReadOnlySpan<byte> name) => names.Count < Limits.NamesMax || TryFind(name, out _);

    /// <summary>The id of a name, given now when it is new; 0 for the empty name. The caller has asked <see cref="CanTake"/>.</summary>
    public ushort Intern(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
            return 0;
        if (lookup.TryGetValue(name, out ushort id))
            return id;
        Invariant.Require(names.Count < Limits.NamesMax, Full);
        byte[] copy = name.ToArray();
        id = (ushort)names.Count;
        names.Add(copy);
        ids.Add(copy, id);
        return id;
    }

    /// <summary>The id of a name, or false when the table does not have it.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, out ushort id)
    {
        id = 0;
        return name.IsEmpty || lookup.TryGetValue(name, out id);
    }

    /// <summary>Appends the next persisted name; the names are loaded in order of id into an empty table.</summary>
    public void Load(ushort id, ReadOnlySpan<byte> name)
    {
        ushort given = Intern(name);
        Invariant.Require(given == id && !name.IsEmpty, $"persisted names are loaded in order: expected id {names.Count - 1}, found {id}");
    }

    private sealed class ByteComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly ByteComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => (int)Hash64.Of(obj);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)Hash64.Of(alternate);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
