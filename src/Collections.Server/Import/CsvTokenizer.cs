using System.Buffers;
using System.Security.Cryptography;

namespace Collections.Server.Import;

internal enum CsvOutcome
{
    Row,
    Broken,
    End,
}

internal enum CsvFault
{
    None,
    UnclosedQuote,
    TextAfterQuote,
    QuoteInText,
    LoneCarriageReturn,
    TooLong,
}

/// <summary>
/// Cuts a file into rows and fields, by bytes: every encoding that the import reads has ASCII's delimiters, quotes and line breaks.
/// A row that is longer than <see cref="ImportLimits.RowBytesMax"/> is skipped without being held. After a quote that does not belong
/// where it is, reading goes on at the next line, so that one bad line never swallows good ones.
/// </summary>
/// <remarks>
/// CsvHelper 34 was tried for this, with its strictest options. Two cases rule it out: a quote that is never closed takes every row after
/// it, or with line breaks in quotes forbidden refuses good rows; and once a record exceeds its size limit, every further read fails, so that
/// the rows behind a ten-megabyte field are lost. The tests read by it what they compare with.
/// </remarks>
internal sealed class CsvTokenizer(Stream stream, byte delimiter, IncrementalHash? digest = null)
{
    private const byte Quote = (byte)'"';
    private const byte LineFeed = (byte)'\n';
    private const byte CarriageReturn = (byte)'\r';

    private readonly SearchValues<byte> stops = SearchValues.Create([delimiter, Quote, LineFeed, CarriageReturn]);
    private readonly List<(int Start, int Length, bool Escaped)> fields = [];
    private byte[] buffer = new byte[ImportLimits.ReadBytes];
    private int filled;
    private int start;
    private int next;
    private long nextLine = 1;
    private int length;
    private byte[] beginning = [];

    /// <summary>Where the buffer begins in the file.</summary>
    private long origin;
    private long digested;
    private bool overLimit;

    private enum FieldEnd
    {
        Delimiter,
        Row,
        Broken,
    }

    /// <summary>The line on which the row begins, from 1.</summary>
    public long Line { get; private set; }

    public CsvFault Fault { get; private set; }

    public int FieldCount => fields.Count;

    /// <summary>The row as it stands in the file, with its line break; of a broken one its beginning.</summary>
    public ReadOnlySpan<byte> RowBytes => Fault == CsvFault.None ? buffer.AsSpan(start, length) : beginning;

    /// <summary>How far the file has been read.</summary>
    public long BytesRead => origin + next;

    public ReadOnlySpan<byte> FieldBytes(int index) => buffer.AsSpan(start + fields[index].Start, fields[index].Length);

    /// <summary>Whether the field holds doubled quotes that stand for one.</summary>
    public bool IsEscaped(int index) => fields[index].Escaped;

    /// <summary>Skips a mark of the encoding at the beginning of the file; false if it says UTF-16.</summary>
    public bool SkipByteOrderMark()
    {
        start = next;
        bool two = Has(1);
        if (two && (buffer[start], buffer[start + 1]) is ((0xFE, 0xFF) or (0xFF, 0xFE)))
            return false;
        if (two && Has(2) && buffer.AsSpan(start, 3).SequenceEqual("\uFEFF"u8))
            next = start + 3;
        return true;
    }

    /// <summary>Skips a line whatever it holds; for text above the header.</summary>
    public void SkipLine()
    {
        start = next;
        DiscardLine();
    }

    /// <summary>Moves to the next row. A broken row has <see cref="Fault"/>, and reading goes on after it.</summary>
    public CsvOutcome Next()
    {
        start = next;
        Line = nextLine;
        Fault = CsvFault.None;
        overLimit = false;
        fields.Clear();
        length = 0;
        if (!Has(0))
        {
            next = start;
            return CsvOutcome.End;
        }
        int at = 0;
        while (true)
        {
            FieldEnd end = Has(at) && buffer[start + at] == Quote ? ReadQuoted(ref at) : ReadPlain(ref at);
            if (end == FieldEnd.Delimiter)
                continue;
            if (end == FieldEnd.Broken)
                return Recover();
            length = at;
            next = start + at;
            nextLine += RowBytes.Count(LineFeed);
            return CsvOutcome.Row;
        }
    }

    private FieldEnd ReadPlain(ref int at)
    {
        int from = at;
        while (true)
        {
            int stop = buffer.AsSpan(start + at, filled - start - at).IndexOfAny(stops);
            if (stop < 0)
            {
                at = filled - start;
                if (Has(at))
                    continue;
                if (overLimit)
                    return Break(CsvFault.TooLong);
                fields.Add((from, at - from, false));
                return FieldEnd.Row;
            }
            at += stop;
            byte found = buffer[start + at];
            if (found == Quote)
                return Break(CsvFault.QuoteInText);
            fields.Add((from, at - from, false));
            return EndField(ref at, found);
        }
    }

    private FieldEnd ReadQuoted(ref int at)
    {
        int from = ++at;
        bool escaped = false;
        while (true)
        {
            int stop = buffer.AsSpan(start + at, filled - start - at).IndexOf(Quote);
            if (stop < 0)
            {
                at = filled - start;
                if (Has(at))
                    continue;
                return Break(overLimit ? CsvFault.TooLong : CsvFault.UnclosedQuote);
            }
            at += stop + 1;
            bool more = Has(at);
            if (overLimit)
                return Break(CsvFault.TooLong);
            if (more && buffer[start + at] == Quote)
            {
                escaped = true;
                at++;
                continue;
            }
            fields.Add((from, at - 1 - from, escaped));
            return more ? EndField(ref at, buffer[start + at]) : FieldEnd.Row;
        }
    }

    private FieldEnd EndField(ref int at, byte found)
    {
        at++;
        if (found == delimiter)
            return FieldEnd.Delimiter;
        if (found == LineFeed)
            return FieldEnd.Row;
        if (found != CarriageReturn)
            return Break(CsvFault.TextAfterQuote);
        if (!Has(at))
            return overLimit ? Break(CsvFault.TooLong) : FieldEnd.Row;
        return buffer[start + at++] == LineFeed ? FieldEnd.Row : Break(CsvFault.LoneCarriageReturn);
    }

    private FieldEnd Break(CsvFault fault)
    {
        Fault = fault;
        return FieldEnd.Broken;
    }

    private CsvOutcome Recover()
    {
        long rowOrigin = origin + start;
        // Kept apart, because finding the next row may overwrite the buffer.
        beginning = buffer.AsSpan(start, Math.Min(filled - start, ImportLimits.ShownCharsMax * 2)).ToArray();
        if (Fault == CsvFault.TooLong && !SkipLongRow())
        {
            Fault = CsvFault.UnclosedQuote;
            stream.Position = rowOrigin;
            origin = rowOrigin;
            start = next = filled = 0;
            nextLine = Line;
            DiscardLine();
        }
        else if (Fault != CsvFault.TooLong)
        {
            DiscardLine();
        }
        return CsvOutcome.Broken;
    }

    /// <summary>
    /// Goes to the end of a row without holding it. False if its quotes never come to an end that fits: then a quote was lost, and what
    /// follows are rows of their own.
    /// </summary>
    private bool SkipLongRow()
    {
        bool quoted = false, fieldStart = true, afterQuote = false;
        long lines = 0;
        while (true)
        {
            for (; start < filled; start++)
            {
                byte b = buffer[start];
                if (b == LineFeed)
                    lines++;
                if (quoted)
                {
                    quoted = b != Quote;
                    afterQuote = !quoted;
                }
                else if (b == Quote && (fieldStart || afterQuote))
                {
                    quoted = true;
                    fieldStart = afterQuote = false;
                }
                else if (b == LineFeed)
                {
                    next = start + 1;
                    nextLine += lines;
                    return true;
                }
                else if (afterQuote && b != delimiter && b != CarriageReturn)
                {
                    return false;
                }
                else
                {
                    fieldStart = b == delimiter;
                    afterQuote = false;
                }
            }
            if (!Refill())
            {
                next = filled;
                nextLine += lines;
                return !quoted;
            }
        }
    }

    private void DiscardLine()
    {
        while (true)
        {
            int end = buffer.AsSpan(start, filled - start).IndexOf(LineFeed);
            if (end >= 0)
            {
                next = start + end + 1;
                nextLine++;
                return;
            }
            if (!Refill())
            {
                next = filled;
                return;
            }
        }
    }

    /// <summary>Drops what has been read and reads on; false at the end of the file.</summary>
    private bool Refill()
    {
        origin += filled;
        start = filled = 0;
        return Read();
    }

    /// <summary>Whether the row goes on so far; reads more of the file when that is needed.</summary>
    private bool Has(int at)
    {
        if (start + at < filled)
            return true;
        if (at >= ImportLimits.RowBytesMax)
        {
            overLimit = true;
            return false;
        }
        if (start > 0)
        {
            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            origin += start;
            filled -= start;
            start = 0;
        }
        if (filled == buffer.Length)
            Array.Resize(ref buffer, buffer.Length * 2);
        while (filled <= at)
        {
            if (!Read())
                return false;
        }
        return true;
    }

    private bool Read()
    {
        int count = stream.Read(buffer, filled, buffer.Length - filled);
        long end = origin + filled + count;
        if (digest != null && end > digested)
        {
            int fresh = (int)(end - digested);
            digest.AppendData(buffer.AsSpan(filled + count - fresh, fresh));
            digested = end;
        }
        filled += count;
        return count > 0;
    }
}
