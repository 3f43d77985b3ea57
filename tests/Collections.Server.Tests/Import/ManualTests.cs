using Collections.Domain.Events;
using Collections.Server.Import;

namespace Collections.Server.Tests.Import;

/// <summary>The manual shows what the import really does.</summary>
public sealed class ManualTests
{
    private static readonly string Manual = File.ReadAllText(Path.Combine(Folders.Repository, "docs", "import.md"));

    [Fact]
    public void The_example_of_the_manual_gives_the_output_of_the_manual()
    {
        using var scene = new ImportScene();
        ImportReport report = scene.Mapping(Block("yaml", 0)).Csv("invoices.csv", Block("csv", 0)).Import();
        Assert.Equal(Block("text", 0), ImportReportText.Render(report));
    }

    [Fact]
    public void The_wrong_mapping_of_the_manual_gives_the_mistakes_of_the_manual()
    {
        using var scene = new ImportScene();
        string wrong = Block("yaml", 0).Replace("item: invoice", "itm: invoice").Replace("semicolon", "semi").Replace("disputed = yes", "disputed is yes");
        string shown = ImportReportText.Render(scene.Mapping(wrong).Load().Errors).Replace(scene.MappingPath, "wrong.yaml");
        Assert.Equal(Block("text", 1), shown);
    }

    [Fact]
    public void The_checks_of_the_manual_are_the_defaults()
    {
        using var scene = new ImportScene();
        ImportMapping mapping = scene.Mapping(ImportTests.SimpleMapping.Replace("files:", Block("yaml", 1) + "files:")).Load().Mapping!;
        Assert.Equal(new SuspicionRules { AmountAbove = 1_000_000 }, mapping.Suspicion);
    }

    [Fact]
    public void The_manual_names_every_event_field_and_word()
    {
        foreach (string kind in EventFields.KindNames)
        {
            string line = Manual.Split('\n').Single(l => l.StartsWith($"| `{kind}` |", StringComparison.Ordinal));
            string[] columns = line.Split('|');
            Assert.True(EventFields.TryKind(kind, out EventKind parsed));
            foreach (FieldRule rule in EventFields.Of(parsed).Where(r => r.Field > EventField.KnownAt))
                Assert.Contains($"`{EventFields.NameOf(rule.Field)}`", columns[rule.Required ? 2 : 3]);
        }
        foreach (FieldType type in Enum.GetValues<FieldType>())
            Assert.All(FieldWords.Of(type), word => Assert.Contains(word, Manual));
    }

    private static string Block(string kind, int number)
    {
        string[] parts = Manual.Split($"```{kind}\n");
        return parts[number + 1][..parts[number + 1].IndexOf("```", StringComparison.Ordinal)];
    }
}
