using System.Buffers.Binary;

namespace Collections.Engine.Scoring;

/// <summary>
/// The codes of the row that a model scored last for each debtor, by slot, with the raw score that came of them: equal codes mean an equal
/// score, exactly, so that nothing has to be computed. One model's; it goes when the model goes, and is not kept over a restart.
/// </summary>
internal sealed class ScoreMemo(int codeBytes)
{
    private const int PageShift = 12;

    /// <summary>A mark that the place is taken, the raw score, the codes.</summary>
    private readonly int entryBytes = 1 + sizeof(double) + codeBytes;
    private readonly List<byte[]> pages = [];

    /// <summary>Bytes of all pages.</summary>
    public long Bytes => (long)pages.Count * entryBytes << PageShift;

    /// <summary>Whether a debtor's codes are those of the last time; then the raw score is that of the last time too.</summary>
    public bool TryFind(int slot, ReadOnlySpan<byte> codes, out double raw)
    {
        raw = double.NaN;
        if (slot >> PageShift >= pages.Count)
            return false;
        ReadOnlySpan<byte> entry = Entry(slot);
        if (entry[0] == 0 || !entry[(1 + sizeof(double))..].SequenceEqual(codes))
            return false;
        raw = BinaryPrimitives.ReadDoubleLittleEndian(entry[1..]);
        return true;
    }

    public void Keep(int slot, ReadOnlySpan<byte> codes, double raw)
    {
        while (slot >> PageShift >= pages.Count)
            pages.Add(new byte[entryBytes << PageShift]);
        Span<byte> entry = Entry(slot);
        entry[0] = 1;
        BinaryPrimitives.WriteDoubleLittleEndian(entry[1..], raw);
        codes.CopyTo(entry[(1 + sizeof(double))..]);
    }

    private Span<byte> Entry(int slot) => pages[slot >> PageShift].AsSpan((slot & ((1 << PageShift) - 1)) * entryBytes, entryBytes);
}
