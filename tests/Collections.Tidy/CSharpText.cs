namespace Collections.Tidy;

/// <summary>
/// C# text taken apart as far as the rules need it: code without comments and without what stands in strings, and comments
/// without code. Both keep the length and the lines of the text, so that a place in one is the same place in the other. What stands in
/// the holes of an interpolated string is code.
/// </summary>
internal sealed class CSharpText
{
    private readonly string _text;
    private readonly char[] _code;
    private readonly char[] _comments;
    private readonly List<int> _lineStarts = [0];
    private int _at;

    private CSharpText(string text)
    {
        _text = text;
        _code = new char[text.Length];
        _comments = new char[text.Length];
        for (int i = 0; i < text.Length; i++)
        {
            char blank = text[i] is '\n' or '\r' ? text[i] : ' ';
            _code[i] = blank;
            _comments[i] = blank;
            if (text[i] == '\n')
                _lineStarts.Add(i + 1);
        }
        ReadCode(inHole: false);
        Code = new string(_code);
        Comments = new string(_comments);
    }

    /// <summary>The text without comments, directives and the contents of strings and characters, whose quotes stay.</summary>
    public string Code { get; }

    public string Comments { get; }

    /// <summary>Lines of the preprocessor, by the number of their line.</summary>
    public List<(int Line, string Text)> Directives { get; } = [];

    public static CSharpText Read(string text) => new(text);

    public int LineOf(int index)
    {
        int found = _lineStarts.BinarySearch(index);
        return found >= 0 ? found + 1 : ~found;
    }

    /// <summary>To the end of the text, or of the hole: up to the brace that closes it, or the colon of its format.</summary>
    private void ReadCode(bool inHole)
    {
        int depth = 0;
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (Next("//"))
                ReadComment(EndOfLine(_at));
            else if (Next("/*"))
                ReadComment(_text.IndexOf("*/", _at + 2, StringComparison.Ordinal) is >= 0 and var end ? end + 2 : _text.Length);
            else if (c == '#' && !inHole && IsFirstOfLine(_at))
                ReadDirective();
            else if (c == '\'')
                ReadCharacter();
            else if (StringAhead() is { Quotes: > 0 } literal)
                ReadString(literal);
            else if (inHole && depth == 0 && c is '}' or ':' && inHole && depth == 0 && !Next("::"))
                return;
            else
            {
                depth += c is '(' or '[' or '{' ? 1 : c is ')' or ']' or '}' ? -1 : 0;
                int length = Next("::") ? 2 : 1;
                for (; length > 0; length--)
                    Keep();
            }
        }
    }

    private bool Next(string expected) => string.CompareOrdinal(_text, _at, expected, 0, expected.Length) == 0;

    private void Keep()
    {
        _code[_at] = _text[_at];
        _at++;
    }

    private void ReadComment(int end)
    {
        for (; _at < end; _at++)
            _comments[_at] = _text[_at];
    }

    private void ReadDirective()
    {
        int end = EndOfLine(_at);
        Directives.Add((LineOf(_at), _text[_at..end]));
        _at = end;
    }

    private int EndOfLine(int from) => _text.IndexOf('\n', from) is >= 0 and var end ? end : _text.Length;

    private bool IsFirstOfLine(int index)
    {
        while (index > 0 && _text[index - 1] is ' ' or '\t')
            index--;
        return index == 0 || _text[index - 1] == '\n';
    }

    private void ReadCharacter()
    {
        Keep();
        while (_at < _text.Length && _text[_at] is not ('\'' or '\n'))
            _at += _text[_at] == '\\' ? 2 : 1;
        if (_at < _text.Length)
            Keep();
    }

    /// <summary>What the string that starts here is made of; no quotes if none starts here.</summary>
    private (int Prefix, int Dollars, bool Verbatim, int Quotes) StringAhead()
    {
        int at = _at, dollars = 0;
        bool verbatim = false;
        for (; at < _text.Length && _text[at] is '$' or '@'; at++)
        {
            dollars += _text[at] == '$' ? 1 : 0;
            verbatim |= _text[at] == '@';
        }
        int quotes = RunOf('"', at);
        return (at - _at, dollars, verbatim, verbatim || quotes is 2 ? Math.Min(quotes, 1) : quotes);
    }

    private int RunOf(char c, int from)
    {
        int end = from;
        while (end < _text.Length && _text[end] == c)
            end++;
        return end - from;
    }

    private void ReadString((int Prefix, int Dollars, bool Verbatim, int Quotes) literal)
    {
        for (int i = literal.Prefix + literal.Quotes; i > 0; i--)
            Keep();
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (c == '"' && IsEndOfString(literal.Verbatim, literal.Quotes))
                return;
            if (c == '{' && literal.Dollars > 0)
                ReadBraces(literal.Dollars, isRaw: literal.Quotes > 1);
            else if (c == '\\' && !literal.Verbatim && literal.Quotes == 1)
                _at += 2;
            else if (c == '\n' && !literal.Verbatim && literal.Quotes == 1)
                return;
            else
                _at++;
        }
    }

    /// <summary>Steps over the quotes here; whether they end the string.</summary>
    private bool IsEndOfString(bool verbatim, int quotes)
    {
        int run = RunOf('"', _at);
        if (verbatim)
        {
            _at += run - (run % 2);
            if (run % 2 == 0)
                return false;
        }
        else if (quotes == 1)
        {
            run = 1;
        }
        else
        {
            _at += Math.Max(0, run - quotes);
            if (run < quotes)
            {
                _at += run;
                return false;
            }
        }
        for (int i = verbatim ? 1 : quotes; i > 0; i--)
            Keep();
        return true;
    }

    /// <summary>Braces in an interpolated string: text if doubled (or too few, in a raw string), else a hole with code.</summary>
    private void ReadBraces(int dollars, bool isRaw)
    {
        int run = RunOf('{', _at);
        _at += run;
        if (isRaw ? run < dollars : run % 2 == 0)
            return;
        ReadCode(inHole: true);
        if (_at < _text.Length && _text[_at] == ':')
            _at = _text.IndexOf('}', _at) is >= 0 and var end ? end : _text.Length;
        _at = Math.Min(_text.Length, _at + (isRaw ? dollars : 1));
    }
}
