using System.Text;
using System.Text.RegularExpressions;

namespace Collections.Tidy;

/// <summary>A block between fences: its language, its lines, and the number of its first line.</summary>
internal sealed record FencedBlock(string Language, int FirstLine, List<string> Lines);

/// <summary>A Markdown file taken apart: links, headings as anchors, fenced blocks.</summary>
internal sealed class Markdown
{
    private static readonly Regex Fence = Pattern.Of(@"^\s{0,3}(?<fence>```+|~~~+)\s*(?<language>[\w-]*)");
    private static readonly Regex InlineCode = Pattern.Of(@"(?<ticks>`+)(?!`).*?(?<!`)\k<ticks>(?!`)");
    private static readonly Regex Heading = Pattern.Of(@"^\s{0,3}#{1,6}\s+(?<text>.*?)\s*#*\s*$");

    private static readonly Regex Link = Pattern.Of(
        @"\]\(\s*<?(?<target>[^)\s>]+)>?(\s+[""'(][^)]*)?\s*\)"
        + @"|^\s{0,3}\[[^\]]+\]:\s*<?(?<target>[^\s>]+)"
        + @"|<(img|a|source)\b[^>]*?\b(src|href|srcset)\s*=\s*[""'](?<target>[^""']+)[""']");

    private Markdown(SourceFile file) => File = file;

    public SourceFile File { get; }

    public List<(int Line, string Target)> Links { get; } = [];

    public HashSet<string> Anchors { get; } = new(StringComparer.Ordinal);

    public List<FencedBlock> Blocks { get; } = [];

    public static IEnumerable<Markdown> Of(Tree tree) => tree.Files.Where(static file => file.Is(".md")).Select(Read);

    public static Markdown Read(SourceFile file)
    {
        var markdown = new Markdown(file);
        string fence = "";
        for (int i = 0; i < file.Lines.Length; i++)
        {
            string line = file.Lines[i];
            Match mark = Fence.Match(line);
            if (fence.Length > 0)
            {
                if (mark.Success && mark.Groups["fence"].Value.StartsWith(fence, StringComparison.Ordinal))
                    fence = "";
                else
                    markdown.Blocks[^1].Lines.Add(line);
            }
            else if (mark.Success)
            {
                fence = mark.Groups["fence"].Value;
                markdown.Blocks.Add(new FencedBlock(mark.Groups["language"].Value, i + 2, []));
            }
            else
            {
                markdown.ReadLine(line, i + 1);
            }
        }
        return markdown;
    }

    /// <summary>The anchor of a heading: lower case, without punctuation, hyphens for spaces.</summary>
    public static string AnchorOf(string heading)
    {
        string text = Pattern.Of(@"!?\[(?<text>[^\]]*)\]\([^)]*\)").Replace(heading, "${text}");
        var anchor = new StringBuilder();
        foreach (char c in text.Replace("`", "", StringComparison.Ordinal).Replace("*", "", StringComparison.Ordinal).ToLowerInvariant())
        {
            if (char.IsLetterOrDigit(c) || c is '-' or '_')
                anchor.Append(c);
            else if (c == ' ')
                anchor.Append('-');
        }
        return anchor.ToString();
    }

    private void ReadLine(string line, int number)
    {
        if (Heading.Match(line) is { Success: true } heading)
        {
            string anchor = AnchorOf(heading.Groups["text"].Value);
            string unique = anchor;
            for (int i = 1; !Anchors.Add(unique); i++)
                unique = $"{anchor}-{i}";
        }
        string text = InlineCode.Replace(line, static code => new string(' ', code.Length));
        foreach (Match match in Pattern.Of(@"\b(id|name)\s*=\s*[""'](?<id>[^""']+)[""']").Matches(text))
            Anchors.Add(match.Groups["id"].Value);
        foreach (Match match in Link.Matches(text))
            Links.Add((number, match.Groups["target"].Value));
    }
}
