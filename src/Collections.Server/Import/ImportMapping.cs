using System.IO.Enumeration;
using System.Text;
using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Import;

/// <summary>A mistake in a mapping file: where it is, what is wrong, and what to do.</summary>
public sealed record MappingError(string File, long Line, long Column, string Problem, string Remedy)
{
    public override string ToString() => $"{File}:{Line}:{Column}: {Problem}; {Remedy}";
}

/// <summary>A mapping, or why the file is none; never both.</summary>
public sealed record ImportMappingResult(ImportMapping? Mapping, IReadOnlyList<MappingError> Errors);

/// <summary>
/// What the columns of one or more CSV files mean, read from YAML (<c>docs/import.md</c>). It is immutable and has been checked as far as
/// that is possible without the files.
/// </summary>
public sealed class ImportMapping
{
    internal ImportMapping(string path, byte[] content, string tenant, SuspicionRules suspicion, IReadOnlyList<FileSection> sections)
    {
        Path = path;
        Content = content;
        Tenant = tenant;
        Suspicion = suspicion;
        Sections = sections;
    }

    public string Path { get; }

    /// <summary>The tenant of every event whose section does not map one.</summary>
    public string Tenant { get; }

    /// <summary>The mapping's own bytes: they are part of what identifies an import.</summary>
    internal byte[] Content { get; }

    internal SuspicionRules Suspicion { get; }

    internal IReadOnlyList<FileSection> Sections { get; }

    /// <summary>Reads and checks a mapping file. It is refused as a whole if anything in it is wrong.</summary>
    public static ImportMappingResult Load(string path) => MappingReader.Read(path);

    /// <summary>The sections whose pattern fits a file's name; it should be one.</summary>
    internal IReadOnlyList<FileSection> SectionsFor(string path)
    {
        string name = System.IO.Path.GetFileName(path);
        return [.. Sections.Where(s => FileSystemName.MatchesSimpleExpression(s.Pattern, name, ignoreCase: true))];
    }
}

/// <summary>What is imported but pointed out, because it is more likely a mistake than the truth.</summary>
internal sealed record SuspicionRules
{
    /// <summary>In major units; null: no bound.</summary>
    public decimal? AmountAbove { get; init; }

    public int AmountTimesMedian { get; init; } = 10_000;

    public Day DatesBefore { get; init; } = Day.Of(new DateOnly(1990, 1, 1));

    public int DatesYearsAhead { get; init; } = 30;
}

/// <summary>The files of one layout: how they are written, and the events that each of their rows becomes.</summary>
internal sealed record FileSection
{
    public required string Pattern { get; init; }
    public required long YamlLine { get; init; }
    public required Encoding Encoding { get; init; }
    public required byte Delimiter { get; init; }
    public required int SkipLines { get; init; }
    public required AmountFormat Amounts { get; init; }

    /// <summary>What the file writes where it has no value, such as NULL.</summary>
    public required IReadOnlyList<string> EmptyValues { get; init; }

    /// <summary>The columns of a file without a header; null: the first line names them.</summary>
    public required IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Rows that meet any of these become nothing, on purpose.</summary>
    public required IReadOnlyList<RowCondition> Ignore { get; init; }

    public required IReadOnlyList<EventMapping> Events { get; init; }
}

/// <summary>One event that a row becomes, when it meets all conditions.</summary>
internal sealed record EventMapping(EventKind Kind, IReadOnlyList<RowCondition> When, IReadOnlyList<FieldMapping> Fields);

/// <summary>One field of an event: where its value comes from and how it is written there.</summary>
internal sealed record FieldMapping
{
    private string? name;
    private string? place;

    public required FieldRule Rule { get; init; }
    public required ValueExpression Value { get; init; }
    public required DateFormat Dates { get; init; }
    public required InstantFormat Instants { get; init; }
    public required AmountFormat Amounts { get; init; }

    /// <summary>The file has the amount with the other sign, as bank statements do.</summary>
    public required bool Negate { get; init; }

    public string Name => name ??= EventFields.NameOf(Rule.Field);

    /// <summary>How a finding names the place of the value: its columns, or the field for a constant.</summary>
    public string Place => place ??= Value.Columns.Count > 0 ? string.Join(", ", Value.Columns) : Name;
}
