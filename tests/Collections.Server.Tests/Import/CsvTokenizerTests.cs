using System.Text;
using Collections.Server.Import;

namespace Collections.Server.Tests.Import;

public sealed class CsvTokenizerTests
{
    [Theory]
    // the file, and its rows: line, then fields between bars; broken rows show their fault
    [InlineData("a,b\nc,d\n", "1|a|b 2|c|d")]
    [InlineData("a,b\r\nc,d\r\n", "1|a|b 2|c|d")]
    [InlineData("a,b\nc,d", "1|a|b 2|c|d")]
    [InlineData("a,b\nc,d\r", "1|a|b 2|c|d")]
    [InlineData("a,\n,b\n", "1|a| 2||b")]
    [InlineData("a\n\nb\n", "1|a 2| 3|b")]
    [InlineData("\"a,b\",c\n", "1|a,b|c")]
    [InlineData("\"a\nb\",c\nd,e\n", "1|a\nb|c 3|d|e")]
    [InlineData("\"a\"\"b\",\"\"\n", "1|a\"b|")]
    [InlineData("\"a\"", "1|a")]
    [InlineData("\"a\"\r\nb\n", "1|a 2|b")]
    [InlineData("", "")]
    [InlineData("a\"b,c\nd,e\n", "1!QuoteInText 2|d|e")]
    [InlineData("\"a\"b,c\nd,e\n", "1!TextAfterQuote 2|d|e")]
    [InlineData("\"a,b\nc,d\ne,f\n", "1!UnclosedQuote 2|c|d 3|e|f")]
    [InlineData("x,\"a\nc,\"d\ne,f\n", "1!TextAfterQuote 2!UnclosedQuote 3|e|f")]
    [InlineData("a\rb\nc\n", "1!LoneCarriageReturn 2|c")]
    [InlineData("\"", "1!UnclosedQuote")]
    public void Rows_are_cut_and_a_broken_one_costs_only_its_line(string file, string rows) =>
        Assert.Equal(rows, Rows(new MemoryStream(Encoding.UTF8.GetBytes(file))));

    [Fact]
    public void Cutting_does_not_depend_on_how_the_file_is_read()
    {
        var random = new Random(7);
        string[] parts = ["a", ",", "\"", "\"\"", "\n", "\r\n", "bc", "\"x,y\"", ",", "\n"];
        for (int i = 0; i < 2_000; i++)
        {
            byte[] file = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => parts[random.Next(parts.Length)])));
            Assert.Equal(Rows(new MemoryStream(file)), Rows(new SlowStream(file, random)));
        }
    }

    [Theory]
    [InlineData("z", "TooLong")]
    [InlineData("\"z\"", "TooLong")]
    [InlineData("\"z\nlooks,like,a row\nz\"", "TooLong")]
    [InlineData("\"z", "UnclosedQuote")]
    [InlineData("\"z\"x", "UnclosedQuote")]
    public void A_field_of_ten_megabytes_is_skipped_in_little_memory(string shape, string fault)
    {
        string file = "a,1\n" + shape.Replace("z", new string('z', 10_000_000)) + ",2\nb,3\n";
        byte[] bytes = Encoding.UTF8.GetBytes(file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string rows = Rows(new MemoryStream(bytes));
        long used = GC.GetAllocatedBytesForCurrentThread() - before;
        int last = file.Count(c => c == '\n');
        Assert.Equal($"1|a|1 2!{fault} {last}|b|3", rows);
        Assert.True(used < 8_000_000, $"{used} bytes were allocated for a file of {bytes.Length}");
    }

    private static string Rows(Stream file)
    {
        var tokens = new CsvTokenizer(file, (byte)',');
        var rows = new List<string>();
        Assert.True(tokens.SkipByteOrderMark());
        while (tokens.Next() is var outcome && outcome != CsvOutcome.End)
        {
            rows.Add(outcome == CsvOutcome.Broken
                ? $"{tokens.Line}!{tokens.Fault}"
                : $"{tokens.Line}|{string.Join('|', Enumerable.Range(0, tokens.FieldCount).Select(i => CsvRow.Decode(tokens, Encoding.UTF8, i)))}");
        }
        // At the end it stays at the end.
        Assert.Equal(CsvOutcome.End, tokens.Next());
        return string.Join(' ', rows);
    }

    /// <summary>A stream that gives a few bytes at a time.</summary>
    private sealed class SlowStream(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, random.Next(1, 4)));
    }
}
