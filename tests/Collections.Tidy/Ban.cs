using System.Text.RegularExpressions;

namespace Collections.Tidy;

/// <summary>What code may not say in some folders, and what to write instead.</summary>
internal static class Ban
{
    public static Rule Of(string name, string pattern, Func<SourceFile, bool> holdsFor, string instead, (string Path, string Code) bad, string expected)
    {
        Regex banned = Pattern.Of(pattern);
        return new Rule(name, Check, Tree.Of((bad.Path, bad.Code)), expected);

        IEnumerable<Finding> Check(Tree tree) =>
            from file in tree.CSharp
            where holdsFor(file)
            from match in banned.Matches(file.Code.Code)
            let subject = Pattern.Of(@"\s+").Replace(match.Value, " ").Trim()
            select file.Found(file.Code.LineOf(match.Index), subject, $"{subject} is banned here: {instead}");
    }
}

/// <summary>The core decides; what it decides on, instants and chance too, comes in as arguments.</summary>
internal static class CoreBans
{
    private const string Domain = "src/Collections.Domain";
    private const string Scoring = "src/Collections.Scoring";
    private const string Strategy = "src/Collections.Strategy";
    private const string Engine = "src/Collections.Engine";
    private const string Sample = Domain + "/Sample.cs";

    public static IEnumerable<Rule> All =>
    [
        Ban.Of("no-clock-in-core",
            @"\bDateTime\s*\.\s*(Now|UtcNow|Today)\b|\bDateTimeOffset\s*\.\s*(Now|UtcNow)\b|\bStopwatch\b|\bEnvironment\s*\.\s*TickCount(64)?\b|\bTimeProvider\s*\.\s*System\b",
            static file => IsCore(file) && !file.IsUnder(Engine + "/Hosting"),
            "take the instant as an argument; the host reads its TimeProvider once a round (Engine/Hosting)",
            (Sample, "var now = DateTimeOffset.UtcNow;"), "DateTimeOffset.UtcNow"),
        Ban.Of("no-chance-in-core",
            @"\bnew\s+Random\b|\bRandom\s+\w+\s*=\s*new\b|\bRandom\s*\.\s*Shared\b|\bRandomNumberGenerator\b",
            IsCore, "derive it from the ids by Hash64, or take the numbers as arguments",
            (Sample, "var die = Random.Shared.Next(6);"), "Random.Shared"),
        Ban.Of("no-fresh-ids-in-core",
            @"\bGuid\s*\.\s*(NewGuid|CreateVersion7)\b",
            IsCore, "ids are given by the producer, or derived from stream positions; both survive a replay",
            (Sample, "var id = Guid.NewGuid();"), "Guid.NewGuid"),
        Ban.Of("no-sleep-in-core",
            @"\bThread\s*\.\s*Sleep\b",
            IsCore, "wait for the signal that there is work, with a time limit",
            (Sample, "Thread.Sleep(5);"), "Thread.Sleep"),
        Ban.Of("no-async-in-core",
            @"\basync\b|\bawait\b|\b(Value)?Task\b",
            static file => file.IsUnder(Domain, Scoring, Strategy, Engine + "/Partitions", Engine + "/Queues", Engine + "/Leases"),
            "fetch first, then run to completion; what waits belongs into Engine/Hosting or an adapter",
            (Sample, "Task Apply();"), "Task"),
        Ban.Of("no-files-in-core",
            @"\b(File|Directory|Console)\s*\.\s*[A-Z]\w*|\b(FileStream|FileInfo|DirectoryInfo)\b",
            IsCore, "read in the server or an adapter and hand over the bytes; report by return values",
            (Sample, "Console.WriteLine(1);"), "Console.WriteLine"),
    ];

    private static bool IsCore(SourceFile file) => file.IsUnder(Domain, Scoring, Strategy, Engine);
}

/// <summary>What no part of the code may say.</summary>
internal static class GeneralBans
{
    // Taken apart, so that this file does not hold what it looks for.
    private const string Unfinished = "TO" + "DO|FIX" + "ME|HA" + "CK";

    private const string OtherNumbers = "float|double|Half|decimal|int|uint|short|ushort|byte|sbyte|ulong|nint|nuint|BigInteger";

    /// <summary>A field, property, parameter, local or method that is named as minor units and is another number, or a row of others.</summary>
    private const string MinorUnits =
        @"(?<type>\b(" + OtherNumbers + @")\b\??|\b\w*(Span|Memory|List|Array)<(" + OtherNumbers + @")>)(\[\])?\??\s+(?<name>_?\w*Minor)\b";

    public static IEnumerable<Rule> All =>
    [
        Ban.Of("no-sleep-in-tests",
            @"\bThread\s*\.\s*Sleep\b|\bTask\s*\.\s*Delay\s*\((?!\s*Timeout\s*\.\s*Infinite)",
            static file => file.IsUnder("tests"), "wait for what is to happen, with a time limit (WaitAsync), or drive a fake TimeProvider",
            ("tests/A.Tests/Sample.cs", "await Task.Delay(100);"), "Task.Delay("),
        Ban.Of("names-are-domain-words",
            @"\b(class|struct|interface|enum|record|delegate\s+\w+)\s+\w+(Helper|Util|Utils|Utilities|Manager|Wrapper|Base)\b",
            static file => file.IsUnder("src"), "name what it does in the field's words",
            ("src/A/Sample.cs", "static class DateHelper { }"), "class DateHelper"),
        Ban.Of("no-partial-types",
            @"\bpartial\s+(class|struct|record|interface)\s+\w+",
            static file => !file.Code.Code.Contains("[LoggerMessage", StringComparison.Ordinal) && !file.Code.Code.Contains("[GeneratedRegex", StringComparison.Ordinal)
                && !file.Code.Code.Contains("[LibraryImport", StringComparison.Ordinal) && !file.Code.Code.Contains("[JsonSerializable", StringComparison.Ordinal),
            "give the part a type of its own; partials are for generated code and log messages",
            ("src/A/Sample.cs", "partial class Debtor { }"), "partial class Debtor"),
        Ban.Of("no-unfinished-code",
            @"\bNotImplementedException\b",
            static _ => true, "refuse by a result that the caller can show, or leave the case out",
            ("src/A/Sample.cs", "throw new NotImplementedException();"), "NotImplementedException"),
        new("no-not-yet", NotYet, Tree.Of(("src/A/Sample.cs", "throw new NotSupportedException($\"{x} is not yet supported\");")), "NotSupportedException"),
        new("no-unfinished-marks", UnfinishedMarks, Tree.Of(("src/A/Sample.cs", "// TO" + "DO: all of it")), "TO" + "DO"),
        new("no-regions", Regions, Tree.Of(("src/A/Sample.cs", "#region A\n#endregion\n")), "#region"),
        new("money-is-long", MoneyIsLong, Tree.Of(("src/A/Sample.cs", "double balanceMinor = 0;")), "balanceMinor"),
        new("skips-say-why", Skips, Tree.Of(("tests/A.Tests/Sample.cs", "[Fact(Skip = \"flaky\")]\npublic void A() { }")), "Skip"),
    ];

    private static IEnumerable<Finding> NotYet(Tree tree) =>
        from file in tree.CSharp
        from match in Pattern.Of(@"\bnew\s+NotSupportedException\s*\(").Matches(file.Code.Code)
        let end = file.Code.Code.IndexOf(';', match.Index) is >= 0 and var found ? found : file.Text.Length
        where file.Text[match.Index..end].Contains("not yet", StringComparison.OrdinalIgnoreCase)
        select file.Found(file.Code.LineOf(match.Index), "NotSupportedException", "what is not there is not offered: leave the case out, or refuse it by a result");

    private static IEnumerable<Finding> UnfinishedMarks(Tree tree) =>
        from file in tree.Files
        where TextRules.IsSource(file) && file.Name != ".editorconfig" // which names the mark that it turns the analyzer on for
        from found in file.Lines.Index()
        let match = Pattern.Of($@"\b({Unfinished})\b").Match(found.Item)
        where match.Success
        select file.Found(found.Index + 1, match.Value, $"no {match.Value}: do it, or write an issue and say here what is so today");

    private static IEnumerable<Finding> Regions(Tree tree) =>
        from file in tree.CSharp
        from directive in file.Code.Directives
        where Pattern.Of(@"^#\s*region\b").IsMatch(directive.Text)
        select file.Found(directive.Line, "#region", "no regions: split the type");

    private static IEnumerable<Finding> MoneyIsLong(Tree tree) =>
        from file in tree.CSharp
        from match in Pattern.Of(MinorUnits).Matches(file.Code.Code)
        let name = match.Groups["name"].Value
        // Outside the core a simulation may pack amounts into an int, and an import add them up as decimals; nobody may use a float.
        where !file.IsUnder("src/Collections.Server") || Pattern.Of("float|double|Half").IsMatch(match.Groups["type"].Value)
        select file.Found(file.Code.LineOf(match.Index), name, $"{name} is {match.Groups["type"].Value}; an amount in minor units is a long, a sum that may be larger an Int128");

    /// <summary>An attribute class may skip for a reason that it finds out; a test may not be switched off by hand.</summary>
    private static IEnumerable<Finding> Skips(Tree tree)
    {
        foreach (SourceFile file in tree.CSharp.Where(static file => file.IsUnder("tests")))
        {
            string code = file.Code.Code;
            bool definesAttribute = Pattern.Of(@":\s*(FactAttribute|TheoryAttribute)\b").IsMatch(code);
            Regex set = definesAttribute ? Pattern.Of(@"\[[^\]]*\bSkip\s*=(?![=>])|=>\s*Skip\s*=\s*\$?""") : Pattern.Of(@"\bSkip\s*=(?![=>])");
            foreach (Match match in set.Matches(code))
                yield return file.Found(file.Code.LineOf(match.Index), "Skip", "no test is switched off: mend it or delete it; what depends on the machine derives from FactAttribute and finds the reason out");
        }
    }
}
