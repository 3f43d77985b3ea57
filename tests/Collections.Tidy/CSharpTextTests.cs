namespace Collections.Tidy;

/// <summary>What the rules look at is code, and not what only looks like it.</summary>
public sealed class CSharpTextTests
{
    private const string Quotes = "\"\"\"";

    [Theory]
    [InlineData("a // b", "a")]
    [InlineData("a /* b \n c */ d", "a \n d")]
    [InlineData("\"b // c\" a", "\" \" a")]
    [InlineData("\"b \\\" c\" a", "\" \" a")]
    [InlineData("\"\" a", "\"\" a")]
    [InlineData("\"b\\\\\" a", "\" \" a")]
    [InlineData("@\"b \"\" c \\\" a", "@\" \" a")]
    [InlineData("@\"\"\"b\"\"\" a", "@\" \" a")]
    [InlineData("@\"b\n{\" a", "@\" \n \" a")]
    [InlineData("'\"' a '\\'' '{' b", "' ' a ' ' ' ' b")]
    [InlineData("$\"b {a} c\" d", "$\" a \" d")]
    [InlineData("$\"b {{c}} {a}\" d", "$\" a \" d")]
    [InlineData("$\"{a:b\\\"c}\" d", "$\" a \" d")]
    [InlineData("$\"{a,5:N0}\" d", "$\" a,5 \" d")]
    [InlineData("$\"{(a ? \"b\" : \"{c\")}\" d", "$\" (a ? \" \" : \" \") \" d")]
    [InlineData("$\"{global::A.a}\" d", "$\" global::A.a \" d")]
    [InlineData("$\"{new { a = 1 }}\" d", "$\" new { a = 1 } \" d")]
    [InlineData("$@\"b \\{a}\"\"\" d", "$@\" a \" d")]
    [InlineData(Quotes + " b \" \"\" c " + Quotes + " d", Quotes + " " + Quotes + " d")]
    [InlineData(Quotes + "\n  b {\n  " + Quotes + " d", Quotes + "\n \n " + Quotes + " d")]
    [InlineData("\"" + Quotes + " b " + Quotes + " c \"" + Quotes + " d", "\"" + Quotes + " \"" + Quotes + " d")]
    [InlineData("$" + Quotes + "b {a} c" + Quotes + " d", "$" + Quotes + " a " + Quotes + " d")]
    [InlineData("$$" + Quotes + "b {c} {{a}} e" + Quotes + " d", "$$" + Quotes + " a " + Quotes + " d")]
    [InlineData("\"b\"u8 a", "\" \"u8 a")]
    [InlineData("@class a", "@class a")]
    [InlineData("#pragma warning disable CA1000 // b\na", " \na")]
    [InlineData("a /// <c>b</c>\nd", "a \nd")]
    [InlineData("a \"b", "a \"")]
    public void Code_is_without_comments_and_what_strings_hold(string text, string expected)
    {
        CSharpText read = CSharpText.Read(text);
        Assert.Equal(text.Length, read.Code.Length);
        Assert.Equal(expected, Pattern.Of(" +").Replace(read.Code, " ").TrimEnd());
    }

    [Fact]
    public void Comments_are_without_code() => Assert.Equal("  // b \"c\"\n      ", CSharpText.Read("a // b \"c\"\nd \"//\"").Comments);

    [Fact]
    public void Directives_and_lines_are_numbered_from_one()
    {
        CSharpText read = CSharpText.Read("a\n  #region b\nc");
        Assert.Equal([(2, "#region b")], read.Directives);
        Assert.Equal((1, 2, 3), (read.LineOf(0), read.LineOf(2), read.LineOf(read.Code.Length - 1)));
    }
}
