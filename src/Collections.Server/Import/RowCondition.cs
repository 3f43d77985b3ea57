using System.Globalization;

namespace Collections.Server.Import;

internal enum ConditionOperator
{
    IsEmpty,
    IsNotEmpty,
    Equal,
    NotEqual,
    In,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>One line of <c>when</c>: a column, what is asked of it, and the values it is compared with.</summary>
internal sealed record RowCondition(string Column, ConditionOperator Operator, IReadOnlyList<string> Values, decimal Bound)
{
    public const string Forms =
        "write COLUMN = VALUE, COLUMN != VALUE, COLUMN in A, B, C, COLUMN < NUMBER (also <=, >, >=), COLUMN is empty, or COLUMN is not empty";

    private static readonly (string Text, ConditionOperator Operator)[] Infix =
    [
        (" != ", ConditionOperator.NotEqual), (" <= ", ConditionOperator.LessOrEqual), (" >= ", ConditionOperator.GreaterOrEqual),
        (" = ", ConditionOperator.Equal), (" < ", ConditionOperator.Less), (" > ", ConditionOperator.Greater), (" in ", ConditionOperator.In),
    ];

    /// <summary>Reads one condition; null when it has none of the forms.</summary>
    public static RowCondition? Parse(string text)
    {
        const string isNotEmpty = " is not empty";
        const string isEmpty = " is empty";
        text = text.Trim();
        if (text.EndsWith(isNotEmpty, StringComparison.Ordinal))
            return new RowCondition(text[..^isNotEmpty.Length].Trim(), ConditionOperator.IsNotEmpty, [], 0);
        if (text.EndsWith(isEmpty, StringComparison.Ordinal))
            return new RowCondition(text[..^isEmpty.Length].Trim(), ConditionOperator.IsEmpty, [], 0);
        (string Text, ConditionOperator Operator)? first = null;
        int at = int.MaxValue;
        foreach (var candidate in Infix)
        {
            int found = text.IndexOf(candidate.Text, StringComparison.Ordinal);
            if (found > 0 && found < at)
                (first, at) = (candidate, found);
        }
        if (first is not { } infix)
            return null;
        string column = text[..at].Trim();
        string right = text[(at + infix.Text.Length)..].Trim();
        if (right.Length == 0)
            return null;
        if (infix.Operator == ConditionOperator.In)
            return new RowCondition(column, infix.Operator, right.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), 0);
        decimal bound = 0;
        if (infix.Operator >= ConditionOperator.Less && !decimal.TryParse(right, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out bound))
            return null;
        return new RowCondition(column, infix.Operator, [right], bound);
    }

    /// <summary>Whether the row meets it; null when the column must be a number and is none.</summary>
    public bool? Holds(CsvRow row, AmountFormat amounts)
    {
        string value = row[Column];
        switch (Operator)
        {
            case ConditionOperator.IsEmpty: return value.Length == 0;
            case ConditionOperator.IsNotEmpty: return value.Length > 0;
            case ConditionOperator.NotEqual: return value != Values[0];
            case ConditionOperator.Equal or ConditionOperator.In: return Values.Contains(value);
        }
        if (!amounts.TryReadNumber(value, out decimal number))
            return null;
        return Operator switch
        {
            ConditionOperator.Less => number < Bound,
            ConditionOperator.LessOrEqual => number <= Bound,
            ConditionOperator.Greater => number > Bound,
            _ => number >= Bound,
        };
    }
}
