using System.Text;
using Collections.Domain;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Collections.Server.Import;

/// <summary>Reads a mapping from YAML. It goes on after a mistake, so that the author sees all of them at once.</summary>
internal sealed class MappingReader
{
    private const int FormatVersion = 1;

    private readonly MappingErrors errors;

    private MappingReader(MappingErrors errors) => this.errors = errors;

    public static ImportMappingResult Read(string path)
    {
        var errors = new MappingErrors(path);
        byte[] content = [];
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > ImportLimits.MappingBytesMax })
                errors.Add(Mark.Empty, $"the file is larger than {ImportLimits.MappingBytesMax} bytes", "a mapping is a page of YAML; is this another file?");
            else
                content = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(Mark.Empty, $"the file can't be read: {e.Message.TrimEnd('.')}", "check the path of --mapping and the rights on it");
        }
        ImportMapping? mapping = null;
        if (!errors.Any && Parse(content, errors) is { } root)
            mapping = new MappingReader(errors).ReadRoot(path, content, new YamlFields(root, errors));
        return new ImportMappingResult(errors.Any ? null : mapping, errors.All);
    }

    private static YamlMappingNode? Parse(byte[] content, MappingErrors errors)
    {
        try
        {
            string text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(content);
            if (text.StartsWith('\uFEFF'))
                text = text[1..];
            if (!IsShallow(text, errors))
                return null;
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root)
                return root;
            errors.Add(Mark.Empty, "the file holds no mapping", "begin it with 'version: 1' and a list 'files:'");
        }
        catch (YamlException e)
        {
            errors.Add(e.End, $"this is no valid YAML: {e.Message}", "mind the indentation, and put a value with ':' or '#' or a leading '{' or '*' in quotes");
        }
        catch (DecoderFallbackException e)
        {
            errors.Add(Mark.Empty, $"byte {e.Index} is no valid UTF-8", "save the mapping as UTF-8");
        }
        return null;
    }

    private static bool IsShallow(string text, MappingErrors errors)
    {
        var parser = new Parser(new StringReader(text));
        int depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > ImportLimits.MappingDepthMax)
            {
                errors.Add(parser.Current.Start, "the blocks are nested too deep", "a mapping nests six deep at most; is this another file?");
                return false;
            }
        }
        return true;
    }

    private ImportMapping ReadRoot(string path, byte[] content, YamlFields root)
    {
        if (root.WholeNumber("version", 1, int.MaxValue) is var version && version != FormatVersion)
            errors.Add(root.Value("version") ?? root.Node, version == null ? "'version' is missing" : $"version {version} is not known here", $"write 'version: {FormatVersion}'");
        string tenant = root.Text("tenant") ?? "default";
        YamlScalarNode? currency = root.Scalar("currency");
        if (currency != null && !Currency.TryParse(Encoding.UTF8.GetBytes(currency.Value!), out _))
            errors.Add(currency, $"'{currency.Value}' is no ISO 4217 currency", "write three capital letters, such as USD; a column with currencies is named in the section of its file");
        var plain = FileFormat.Default;
        FileFormat format = root.Fields("format") is { } node ? plain.ReadOver(node, errors) : plain;
        SuspicionRules suspicion = root.Fields("checks") is { } checks ? ReadChecks(checks) : new SuspicionRules();
        var sections = new List<FileSection>();
        var fields = new FieldMappingReader(errors, tenant, currency?.Value);
        foreach (YamlFields section in root.Blocks("files", "- file: \"invoices*.csv\""))
            sections.Add(new SectionReader(errors, fields).Read(section, format));
        root.RefuseOthers("a mapping");
        return new ImportMapping(path, content, tenant, suspicion, sections);
    }

    private SuspicionRules ReadChecks(YamlFields checks)
    {
        var rules = new SuspicionRules();
        if (checks.Scalar("amount_above") is { } above)
        {
            if (decimal.TryParse(above.Value, System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out decimal bound) && bound > 0)
                rules = rules with { AmountAbove = bound };
            else
                errors.Add(above, $"'amount_above' can't be '{above.Value}'", "write an amount in major units, such as 1000000");
        }
        if (checks.WholeNumber("amount_times_median", 2, int.MaxValue) is { } times)
            rules = rules with { AmountTimesMedian = times };
        if (checks.Scalar("dates_before") is { } before)
        {
            if (Day.TryParse(before.Value!, out Day day))
                rules = rules with { DatesBefore = day };
            else
                errors.Add(before, $"'dates_before' can't be '{before.Value}'", "write a date as 1990-01-01");
        }
        if (checks.WholeNumber("dates_years_ahead", 0, 100) is { } years)
            rules = rules with { DatesYearsAhead = years };
        checks.RefuseOthers("checks");
        return rules;
    }
}
