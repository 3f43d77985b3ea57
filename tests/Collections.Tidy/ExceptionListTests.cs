namespace Collections.Tidy;

public sealed class ExceptionListTests
{
    private static readonly Finding Long = new("src/A.cs", 7, "Walk", "long") { Measured = 90 };

    [Fact]
    public void An_exception_covers_its_finding_and_no_other()
    {
        ExceptionList list = ExceptionList.Parse("size-method | src/A.cs | Walk | 90 | a table\n");
        Assert.Empty(list.Judge("size-method", [Long]));
        Assert.Equal([Long with { Path = "src/B.cs" }], list.Judge("size-method", [Long, Long with { Path = "src/B.cs" }]));
        Assert.Equal([Long], list.Judge("size-file", [Long]));
    }

    [Fact]
    public void What_outgrows_its_exception_is_found() =>
        Assert.Equal([Long with { Measured = 91 }], ExceptionList.Parse("size-method | src/A.cs | Walk | 90 | a table\n").Judge("size-method", [Long with { Measured = 91 }]));

    [Fact]
    public void An_exception_that_is_not_needed_is_found()
    {
        Finding stale = Assert.Single(ExceptionList.Parse("# why\nsize-method | src/A.cs | Walk | 90 | a table\n").Judge("size-method", []));
        Assert.Equal((ExceptionList.FilePath, 2), (stale.Path, stale.Line));
    }

    [Fact]
    public void An_exception_that_could_be_lower_is_found() =>
        Assert.Contains("lower", Assert.Single(ExceptionList.Parse("size-method | src/A.cs | Walk | 101 | a table\n").Judge("size-method", [Long])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("size-method | src/A.cs | Walk | 90")]
    [InlineData("size-method | src/A.cs | Walk | 90 | ")]
    [InlineData("size-method | src/A.cs | Walk | ninety | a table")]
    public void An_entry_without_all_its_parts_is_refused(string line) => Assert.Throws<FormatException>(() => ExceptionList.Parse(line));
}
