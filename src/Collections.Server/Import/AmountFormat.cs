using System.Globalization;
using Collections.Domain;
using Collections.Domain.Events;

namespace Collections.Server.Import;

internal enum AmountFault
{
    None,
    NotANumber,
    TooManyDecimals,
    OutOfRange,
}

internal enum NegativeStyle
{
    Minus,
    TrailingMinus,
    Parentheses,
}

/// <summary>
/// How a file writes amounts. Reads to exact minor units and never rounds: a digit that the currency can't hold is a fault, because
/// "12.340" is as likely twelve thousand as twelve.
/// </summary>
internal sealed record AmountFormat
{
    private const int DigitsMax = 28;

    public char Decimal { get; init; } = '.';

    /// <summary>The separator of groups of three; '\0': none.</summary>
    public char Thousands { get; init; }

    public bool InMinorUnits { get; init; }

    public NegativeStyle Negative { get; init; }

    /// <summary>Text that stands before or after every amount, such as a currency sign.</summary>
    public string Symbol { get; init; } = "";

    /// <summary>Whether zeros beyond the currency's decimals are left away.</summary>
    public bool AcceptsTrailingZeros { get; init; }

    /// <summary>An example of an amount in this format, for messages.</summary>
    public string Example
    {
        get
        {
            string grouped = Thousands == '\0' ? "1234" : $"1{Thousands}234";
            return InMinorUnits ? grouped : $"{grouped}{Decimal}50";
        }
    }

    /// <summary>Reads an amount in minor units of the currency.</summary>
    public AmountFault TryReadMinor(string text, Currency currency, out long minor)
    {
        minor = 0;
        AmountFault fault = TryScan(text, out decimal digits, out int decimals);
        if (fault != AmountFault.None)
            return fault;
        int wanted = InMinorUnits ? 0 : currency.MinorDigits;
        for (; decimals > wanted; decimals--)
        {
            if (!AcceptsTrailingZeros || digits % 10 != 0)
                return AmountFault.TooManyDecimals;
            digits /= 10;
        }
        // Checked against the limit divided, so that the product can't overflow.
        for (; decimals < wanted; decimals++)
        {
            if (Math.Abs(digits) > BodyReader.AmountMaxMinor)
                return AmountFault.OutOfRange;
            digits *= 10;
        }
        if (Math.Abs(digits) > BodyReader.AmountMaxMinor)
            return AmountFault.OutOfRange;
        minor = (long)digits;
        return AmountFault.None;
    }

    /// <summary>Reads a plain number, as conditions compare it.</summary>
    public bool TryReadNumber(string text, out decimal number)
    {
        number = 0;
        if (TryScan(text, out decimal digits, out int decimals) != AmountFault.None)
            return false;
        number = digits;
        for (int i = 0; i < decimals; i++)
            number /= 10;
        return true;
    }

    private AmountFault TryScan(string text, out decimal digits, out int decimals)
    {
        digits = 0;
        decimals = 0;
        ReadOnlySpan<char> rest = WithoutSymbol(text);
        bool negative = TakeSign(ref rest);
        rest = WithoutSymbol(rest);
        int point = rest.IndexOf(Decimal);
        ReadOnlySpan<char> whole = point < 0 ? rest : rest[..point];
        ReadOnlySpan<char> fraction = point < 0 ? [] : rest[(point + 1)..];
        if (whole.IsEmpty || (point >= 0 && fraction.IsEmpty))
            return AmountFault.NotANumber;
        int counted = 0;
        if (!TakeWhole(whole, ref digits, ref counted) || !TakeDigits(fraction, ref digits, ref counted))
            return AmountFault.NotANumber;
        if (counted > DigitsMax)
            return AmountFault.OutOfRange;
        decimals = fraction.Length;
        digits = negative ? -digits : digits;
        return AmountFault.None;
    }

    private bool TakeWhole(ReadOnlySpan<char> whole, ref decimal digits, ref int counted)
    {
        int end = Thousands == '\0' ? -1 : IndexOfThousands(whole);
        if (end < 0)
            return TakeDigits(whole, ref digits, ref counted);
        if (end is 0 or > 3 || !TakeDigits(whole[..end], ref digits, ref counted))
            return false;
        ReadOnlySpan<char> rest = whole[end..];
        while (!rest.IsEmpty)
        {
            if (rest.Length < 4 || IndexOfThousands(rest) != 0 || !TakeDigits(rest[1..4], ref digits, ref counted))
                return false;
            rest = rest[4..];
        }
        return true;
    }

    private static bool TakeDigits(ReadOnlySpan<char> text, ref decimal digits, ref int counted)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiDigit(c))
                return false;
            // Leading zeros don't count; more digits than a decimal holds are only counted.
            if (counted > 0 || c != '0')
                counted++;
            if (counted <= DigitsMax)
                digits = digits * 10 + (c - '0');
        }
        return true;
    }

    private bool TakeSign(ref ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty)
            return false;
        if (Negative == NegativeStyle.Parentheses)
        {
            if (rest[0] != '(' || rest[^1] != ')')
                return false;
            rest = rest[1..^1].Trim();
            return true;
        }
        bool trailing = Negative == NegativeStyle.TrailingMinus;
        if ((trailing ? rest[^1] : rest[0]) is not ('-' or '\u2212'))
            return false;
        rest = (trailing ? rest[..^1] : rest[1..]).Trim();
        return true;
    }

    private ReadOnlySpan<char> WithoutSymbol(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (Symbol.Length == 0)
            return text;
        if (text.StartsWith(Symbol, StringComparison.Ordinal))
            return text[Symbol.Length..].Trim();
        return text.EndsWith(Symbol, StringComparison.Ordinal) ? text[..^Symbol.Length].Trim() : text;
    }

    // Typesetters use three spaces and two apostrophes for the same thing.
    private int IndexOfThousands(ReadOnlySpan<char> text) => Thousands switch
    {
        ' ' => text.IndexOfAny(' ', '\u00A0', '\u202F'),
        '\'' => text.IndexOfAny('\'', '\u2019'),
        _ => text.IndexOf(Thousands),
    };

    /// <summary>Minor units as people write them: "1,234.50".</summary>
    public static string Show(decimal minor, Currency currency) =>
        (minor / currency.MinorPerMajor).ToString("N" + currency.MinorDigits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
