using System.Text.RegularExpressions;

namespace Collections.Tidy;

/// <summary>A method, constructor, operator or property with a body, from its signature to its closing brace.</summary>
internal readonly record struct Member(string Name, int FirstLine, int LastLine)
{
    public int Lines => LastLine - FirstLine + 1;
}

/// <summary>Finds the members of the types of a file by matching braces; local functions and lambdas are part of what they stand in.</summary>
internal sealed class MemberScanner
{
    private static readonly Regex TypeHeader = Pattern.Of(
        @"^((public|internal|private|protected|static|sealed|abstract|partial|readonly|ref|unsafe|file|new)\s+)*"
        + @"(?<kind>class|struct|interface|enum|record|namespace|extension)\b");

    private static readonly Regex CallableName = Pattern.Of(@"(?<name>~?\w+)\s*(<[^()]*>)?\s*$");

    private static readonly Regex OperatorName = Pattern.Of(@"\boperator\s*(?<name>\S+)\s*$");

    private readonly CSharpText _text;
    private readonly string _code;
    private readonly List<Member> _members = [];
    private int _at;

    private MemberScanner(CSharpText text)
    {
        _text = text;
        _code = text.Code;
    }

    public static List<Member> MembersOf(CSharpText text)
    {
        var scanner = new MemberScanner(text);
        scanner.ReadMembers();
        return scanner._members;
    }

    /// <summary>To the brace that closes the type, or to the end of the file.</summary>
    private void ReadMembers()
    {
        while (SkipSpaceAndAttributes() && _code[_at] != '}')
            ReadMember();
    }

    private bool SkipSpaceAndAttributes()
    {
        while (_at < _code.Length)
        {
            if (char.IsWhiteSpace(_code[_at]))
                _at++;
            else if (_code[_at] == '[')
                SkipGroup();
            else
                return true;
        }
        return false;
    }

    private void ReadMember()
    {
        int start = _at;
        string name = "";
        bool isAssigned = false, hasBody = false;
        for (; _at < _code.Length; _at++)
        {
            char c = _code[_at];
            bool inHeader = !isAssigned && !hasBody;
            if (c == ';')
            {
                _at++;
                break;
            }
            if (c == '}')
                break;
            if (c is '(' or '[')
            {
                if (inHeader && name.Length == 0)
                    name = NameBefore(_at, start, isIndexer: c == '[');
                SkipGroup();
                _at--;
            }
            else if (c == '=' && inHeader && !IsInOperatorName(start))
            {
                hasBody = _at + 1 < _code.Length && _code[_at + 1] == '>';
                isAssigned = !hasBody;
                name = name.Length > 0 ? name : LastWord(start);
            }
            else if (c == '{')
            {
                if (inHeader && TypeHeader.Match(_code[start.._at]) is { Success: true } type)
                {
                    ReadType(type.Groups["kind"].Value);
                    return;
                }
                name = name.Length > 0 ? name : LastWord(start);
                SkipGroup();
                if (inHeader && !IsFollowedByInitialiser())
                {
                    hasBody = true;
                    break;
                }
                hasBody |= inHeader;
                _at--;
            }
        }
        if (hasBody)
            _members.Add(new Member(name, _text.LineOf(start), _text.LineOf(Math.Max(start, _at - 1))));
    }

    private void ReadType(string kind)
    {
        if (kind == "enum")
        {
            SkipGroup();
            return;
        }
        _at++;
        ReadMembers();
        _at++;
    }

    private bool IsFollowedByInitialiser()
    {
        int at = _at;
        while (at < _code.Length && char.IsWhiteSpace(_code[at]))
            at++;
        return at < _code.Length && _code[at] == '=';
    }

    /// <summary>Steps over a group in any kind of bracket, with all that is in it.</summary>
    private void SkipGroup()
    {
        int depth = 0;
        do
        {
            depth += _code[_at] is '(' or '[' or '{' ? 1 : _code[_at] is ')' or ']' or '}' ? -1 : 0;
            _at++;
        }
        while (depth > 0 && _at < _code.Length);
    }

    private bool IsInOperatorName(int start) => Pattern.Of(@"\boperator\s*[=!<>]*$").IsMatch(_code[start.._at]);

    /// <summary>The name before a bracket; none if the bracket opens a tuple, a type's rank or an array.</summary>
    private string NameBefore(int bracket, int start, bool isIndexer)
    {
        string header = _code[start..bracket];
        if (OperatorName.Match(header) is { Success: true } symbol)
            return "operator " + symbol.Groups["name"].Value;
        string name = CallableName.Match(header).Groups["name"].Value;
        if (isIndexer)
            return name == "this" ? name : "";
        return name is "public" or "internal" or "private" or "protected" or "static" or "readonly" or "unsafe" or "override" or "virtual" or "async" or "abstract" or "sealed" or "ref" or "new" ? "" : name;
    }

    private string LastWord(int start) => CallableName.Match(_code[start.._at]).Groups["name"].Value;
}

internal static class Pattern
{
    public static Regex Of(string pattern, RegexOptions more = RegexOptions.None) => new(pattern, RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | more);
}
