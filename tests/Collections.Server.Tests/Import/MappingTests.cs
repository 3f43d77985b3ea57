using Collections.Server.Import;

namespace Collections.Server.Tests.Import;

public sealed class MappingTests
{
    private const string Good = """
        version: 1
        currency: USD
        files:
          - file: "*.csv"
            debtor: debtor
            events:
              - event: ItemIssued
                id: invoice
                effective_date: issued
                item: invoice
                amount: amount
                due: due
        """;

    [Fact]
    public void The_mapping_that_the_others_are_made_from_is_good()
    {
        using var scene = new ImportScene();
        Assert.Empty(scene.Mapping(Good).Load().Errors);
    }

    [Theory]
    [InlineData("receivables.yaml")]
    [InlineData("credit-card.yaml")]
    [InlineData("adversarial.yaml")]
    public void The_mappings_of_the_repository_are_good(string name) => Assert.Empty(ImportMapping.Load(Folders.MappingFile(name)).Errors);

    [Theory]
    // what is replaced, by what; line and column of the mistake; what the message must say
    [InlineData("version: 1", "version: 2", 1, 10, "version 2 is not known")]
    [InlineData("version: 1\n", "", 1, 1, "'version' is missing")]
    [InlineData("currency: USD", "currency: DOLLAR", 2, 11, "'DOLLAR' is no ISO 4217 currency")]
    [InlineData("currency: USD", "curency: USD", 2, 1, "'curency' is no key of a mapping; did you mean 'currency'?")]
    [InlineData("currency: USD", "currency: [USD]", 2, 11, "'currency' must be a single value")]
    [InlineData("currency: USD", "currency: USD\ncurrency: EUR", 3, 9, "no valid YAML")]
    [InlineData("currency: USD\n", "", 6, 9, "ItemIssued needs 'currency'")]
    [InlineData("currency: USD", "currency: USD\nformat: {encoding: utf8}", 3, 20, "did you mean 'utf-8'?")]
    [InlineData("currency: USD", "currency: USD\nformat: {delimiter: ab}", 3, 21, "'ab' is no delimiter")]
    [InlineData("currency: USD", "currency: USD\nformat: {dates: yyyy-mm-dd}", 3, 17, "capital M: small m is minutes")]
    [InlineData("currency: USD", "currency: USD\nformat: {dates: YYYY-MM-DD}", 3, 17, "'Y', which is no part of a date pattern")]
    [InlineData("currency: USD", "currency: USD\nformat: {instants: yyyy-MM-dd}", 3, 20, "must name the hour")]
    [InlineData("currency: USD", "currency: USD\nformat: {time_zone: Berlin}", 3, 21, "'Berlin' is no time zone")]
    [InlineData("currency: USD", "currency: USD\nformat: {amounts: {decimal: comma, thousands: comma}}", 3, 19, "the same sign")]
    [InlineData("currency: USD", "currency: USD\nformat: {amounts: {decimal: dot}}", 3, 29, "it is one of point, comma")]
    [InlineData("currency: USD", "currency: USD\nformat: {skip_lines: -1}", 3, 22, "whole number from 0")]
    [InlineData("currency: USD", "currency: USD\nchecks: {dates_before: 1.1.1990}", 3, 24, "write a date as 1990-01-01")]
    [InlineData("currency: USD", "currency: USD\nchecks: {amount_above: much}", 3, 24, "write an amount")]
    [InlineData("currency: USD", "\tcurrency: USD", 2, 1, "no valid YAML")]
    [InlineData("  - file: \"*.csv\"\n    debtor: debtor", "  - debtor: debtor", 4, 5, "'file' is missing")]
    [InlineData("\"*.csv\"", "\"in/*.csv\"", 4, 11, "names a folder")]
    [InlineData("event: ItemIssued", "event: ItemIsued", 7, 16, "did you mean 'ItemIssued'?")]
    [InlineData("event: ItemIssued", "event: ImportEnded", 7, 16, "'ImportEnded' is no kind of event")]
    [InlineData("- event: ItemIssued\n        id", "- id", 7, 9, "'event' is missing")]
    [InlineData("item: invoice", "itm: invoice", 10, 9, "'itm' is no key of ItemIssued; did you mean 'item'?")]
    [InlineData("item: invoice\n", "promise: invoice\n", 7, 9, "ItemIssued needs 'item'")]
    [InlineData("effective_date: issued\n", "\n", 7, 9, "either 'effective_date' or 'effective_at'")]
    [InlineData("effective_date: issued", "effective_date: issued\n        effective_at: issued", 7, 9, "either 'effective_date' or 'effective_at'")]
    [InlineData("due: due", "due:", 12, 13, "'due' is empty")]
    [InlineData("due: due", "due: earlier of due", 12, 14, "takes two columns or more")]
    [InlineData("item: invoice", "item: earlier of a, b", 10, 15, "'earlier of' is for dates")]
    [InlineData("id: invoice", "id: \"{invoice\"", 8, 13, "a brace that is not closed")]
    [InlineData("id: invoice", "id: \"{}\"", 8, 13, "a brace that is not closed")]
    [InlineData("due: due", "due: {constant: tomorrow}", 12, 25, "no date as 2026-11-22")]
    [InlineData("due: due", "due: {column: due, constant: 2024-01-01}", 12, 14, "exactly one of column")]
    [InlineData("due: due", "due: {column: due, values: {a: b}}", 12, 36, "'values' is for fields that are words or names")]
    [InlineData("due: due", "due: due\n        component: {column: kind, values: {INV: pricipal}}", 13, 49, "'pricipal' is none of fee, interest, principal")]
    [InlineData("due: due", "due: due\n        component: {column: kind, otherwise: fee}", 13, 46, "'otherwise' needs 'values'")]
    [InlineData("amount: amount", "amount: {column: amount, negate: yes}", 11, 42, "'negate' can't be 'yes'")]
    [InlineData("due: due", "due: due\n        when: Disputed is Yes", 13, 15, "'Disputed is Yes' is no condition; write COLUMN = VALUE")]
    [InlineData("due: due", "due: due\n        when: amount > ten", 13, 15, "is no condition")]
    [InlineData("    debtor: debtor\n", "    debtor: debtor\n    hold: x\n", 6, 11, "'hold' is used by no event of this section")]
    public void A_mistake_is_refused_with_its_place_and_what_to_do(string old, string by, long line, long column, string says)
    {
        using var scene = new ImportScene();
        string yaml = Good.Replace(old, by, StringComparison.Ordinal);
        Assert.NotEqual(Good, yaml);
        ImportMappingResult result = scene.Mapping(yaml).Load();
        Assert.Null(result.Mapping);
        Assert.Contains(result.Errors, e => e.ToString().Contains(says, StringComparison.Ordinal));
        MappingError error = result.Errors.First(e => e.ToString().Contains(says, StringComparison.Ordinal));
        Assert.Equal((line, column), (error.Line, error.Column));
        Assert.StartsWith($"{scene.MappingPath}:{line}:{column}: ", error.ToString(), StringComparison.Ordinal);
        Assert.NotEqual("", error.Remedy);
    }

    [Theory]
    [InlineData("")]
    [InlineData("just text")]
    [InlineData("- a\n- b")]
    [InlineData("files: x")]
    [InlineData("files: []\nversion: 1")]
    [InlineData("files: [a]\nversion: 1")]
    [InlineData("a: &a [*a]")]
    [InlineData("version: 1\nfiles:\n  - file: a\n    events: [{event: ItemCancelled, id: x, item: x, debtor: x, effective_date: [a]}]")]
    public void What_is_no_mapping_is_refused_without_a_crash(string yaml)
    {
        using var scene = new ImportScene();
        ImportMappingResult result = scene.Mapping(yaml).Load();
        Assert.Null(result.Mapping);
        Assert.NotEmpty(result.Errors);
    }

    [Fact]
    public void Deep_nesting_large_files_and_missing_files_are_refused()
    {
        using var scene = new ImportScene();
        Assert.Contains("nested too deep", scene.Mapping(new string('[', 100_000)).Load().Errors[0].Problem);
        Assert.Contains("larger than", scene.Mapping(new string('#', 2_000_000)).Load().Errors[0].Problem);
        Assert.Contains("can't be read", ImportMapping.Load(scene.MappingPath + "x").Errors[0].Problem);
    }

    [Fact]
    public void All_mistakes_are_shown_at_once()
    {
        using var scene = new ImportScene();
        ImportMappingResult result = scene.Mapping(Good.Replace("USD", "US").Replace("due: due", "duo: due").Replace("*.csv", "a/b.csv")).Load();
        Assert.Equal([2, 4, 7, 12], result.Errors.Select(e => e.Line).Order());
        Assert.Equal(4, ImportReportText.Render(result.Errors).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}
