using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;

namespace Collections.Server.Training;

/// <summary>Writes rows that come in order into a file of their own, with the key by which several such files are merged.</summary>
internal sealed class RowRunWriter(string path) : IDisposable
{
    private readonly BinaryWriter file = new(File.Create(path), Encoding.UTF8);

    /// <param name="line">With its end.</param>
    public void Add(Day date, Debtor debtor, string line)
    {
        file.Write(date.Number);
        Write(debtor.Tenant);
        Write(debtor.Name);
        file.Write(line);
    }

    public void Dispose() => file.Dispose();

    private void Write(ReadOnlySpan<byte> name)
    {
        file.Write((byte)name.Length);
        file.Write(name);
    }
}

/// <summary>Reads such a file from its start to its end.</summary>
internal sealed class RowRunReader : IDisposable
{
    private readonly BinaryReader file;
    private Day date;
    private byte[] tenant = [];
    private byte[] debtor = [];

    private RowRunReader(string path) => file = new BinaryReader(File.OpenRead(path), Encoding.UTF8);

    private string Line { get; set; } = "";

    /// <summary>Writes the rows of all runs in the order of (as-of date, tenant, debtor).</summary>
    public static void Merge(IEnumerable<string> paths, TextWriter output)
    {
        var open = new List<RowRunReader>();
        try
        {
            var next = new PriorityQueue<RowRunReader, RowRunReader>(Comparer<RowRunReader>.Create(Compare));
            foreach (string path in paths)
            {
                var run = new RowRunReader(path);
                open.Add(run);
                if (run.Next())
                    next.Enqueue(run, run);
            }
            while (next.TryDequeue(out RowRunReader? first, out _))
            {
                output.Write(first.Line);
                if (first.Next())
                    next.Enqueue(first, first);
            }
        }
        finally
        {
            foreach (RowRunReader run in open)
                run.Dispose();
        }
    }

    public void Dispose() => file.Dispose();

    private bool Next()
    {
        if (file.BaseStream.Position == file.BaseStream.Length)
            return false;
        date = new Day(file.ReadUInt16());
        tenant = file.ReadBytes(file.ReadByte());
        debtor = file.ReadBytes(file.ReadByte());
        Line = file.ReadString();
        return true;
    }

    private static int Compare(RowRunReader a, RowRunReader b)
    {
        int byDate = a.date.CompareTo(b.date);
        if (byDate != 0)
            return byDate;
        int byTenant = a.tenant.AsSpan().SequenceCompareTo(b.tenant);
        return byTenant != 0 ? byTenant : a.debtor.AsSpan().SequenceCompareTo(b.debtor);
    }
}
