namespace Collections.Tidy;

/// <summary>The rules, held against the repository, against bad input, and against their own exceptions.</summary>
public sealed class RepositoryTests
{
    public static TheoryData<string> Rules => [.. RuleBook.All.Select(static rule => rule.Name)];

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_repository_keeps(string rule)
    {
        List<Finding> findings = ExceptionList.Of(Tree.Repository).Judge(rule, RuleBook.Named(rule).Check(Tree.Repository));
        if (findings.Count > 0)
            Assert.Fail($"{findings.Count} against {rule}:{Environment.NewLine}{string.Join(Environment.NewLine, findings)}");
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_small_bad_input_is_found_by(string rule)
    {
        Rule held = RuleBook.Named(rule);
        Assert.Contains(held.Expected, held.Check(held.Bad).Select(static finding => finding.Subject));
    }

    [Fact]
    public void The_tree_holds_what_is_known_to_be_there()
    {
        Assert.NotNull(Tree.Repository.Find("tests/Collections.Tidy/RepositoryTests.cs"));
        Assert.NotNull(Tree.Repository.Find("protos/collections/v1/events.proto"));
        Assert.True(Tree.Repository.HasFolder("src/Collections.Domain"));
        Assert.DoesNotContain(Tree.Repository.Files, static file => file.Path.Contains("/obj/", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_exception_names_a_rule_and_a_file()
    {
        foreach (ExceptionEntry entry in ExceptionList.Of(Tree.Repository).Entries)
        {
            Assert.Contains(RuleBook.All, rule => rule.Name == entry.Rule);
            Assert.True(Tree.Repository.Find(entry.Path) is not null, $"there is no {entry.Path}");
        }
    }
}
