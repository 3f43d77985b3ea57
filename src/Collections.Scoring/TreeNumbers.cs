namespace Collections.Scoring;

/// <summary>
/// Reads a tree's lists of numbers. Each list must have exactly the length that the tree's counts call for, and it is counted
/// before anything is allocated: a count of two thousand million costs no memory.
/// </summary>
internal static class TreeNumbers
{
    private const string Remedy = "Save the model again with LightGBM.";

    private delegate bool Parse<T>(ReadOnlySpan<char> token, out T value);

    public static ModelError? ReadOne(ReadOnlySpan<char> text, TreeSection section, TreeKey key, int least, int most, out int value)
    {
        value = 0;
        ModelField field = section[key];
        if (!field.IsPresent) return Missing(section, key);
        ReadOnlySpan<char> token = field.In(text).Trim(' ');
        return NumberText.TryInt(token, out value) && value >= least && value <= most ? null
            : Refuse(section, key, $"{NumberText.Quote(token)} is not a whole number from {least} to {most}. {Remedy}");
    }

    /// <summary>Doubles; NaN and infinities are numbers here, and whether one makes sense is the caller's to say.</summary>
    public static ModelError? ReadDoubles(ReadOnlySpan<char> text, TreeSection section, TreeKey key, int count, out double[] values) =>
        ReadList(text, section, key, count, NumberText.TryDouble, "a number", out values);

    public static ModelError? ReadInts(ReadOnlySpan<char> text, TreeSection section, TreeKey key, int count, int least, int most, out int[] values)
    {
        ModelError? error = ReadList(text, section, key, count, NumberText.TryInt, "a whole number of 32 bits", out values);
        if (error is not null) return error;
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] < least || values[i] > most)
            {
                return Refuse(section, key, $"Entry {i} is {values[i]}, outside {least} to {most}. {Remedy}");
            }
        }

        return null;
    }

    public static ModelError? ReadWords(ReadOnlySpan<char> text, TreeSection section, TreeKey key, int count, out uint[] values) =>
        ReadList(text, section, key, count, NumberText.TryUInt, "an unsigned number of 32 bits", out values);

    public static ModelError Refuse(TreeSection section, TreeKey key, string message)
    {
        ModelField field = section[key];
        return new ModelError(field.IsPresent ? field.Line : section.Line, key.ToString(), message);
    }

    private static ModelError? ReadList<T>(ReadOnlySpan<char> text, TreeSection section, TreeKey key, int count, Parse<T> parse, string kind, out T[] values)
    {
        values = [];
        ModelField field = section[key];
        if (!field.IsPresent) return count == 0 ? null : Missing(section, key);
        ReadOnlySpan<char> list = field.In(text);
        int found = NumberText.CountTokens(list);
        if (found != count)
        {
            return Refuse(section, key, $"{found} entries where the tree's counts call for {count}. The file was cut or edited; {Remedy}");
        }

        values = new T[count];
        for (int i = 0; i < count && NumberText.TryTakeToken(ref list, out ReadOnlySpan<char> token); i++)
        {
            if (!parse(token, out values[i]))
            {
                return Refuse(section, key, $"Entry {i} is {NumberText.Quote(token)}, which is not {kind}. {Remedy}");
            }
        }

        return null;
    }

    private static ModelError Missing(TreeSection section, TreeKey key) =>
        new(section.Line, key.ToString(), $"The tree that begins here lacks this key. The file was cut or edited; {Remedy}");
}
