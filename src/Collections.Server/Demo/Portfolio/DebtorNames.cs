namespace Collections.Server.Demo.Portfolio;

/// <summary>A simulated debtor's name: D and seven digits, counted from 1, so that its index is in it.</summary>
public static class DebtorNames
{
    public const int ByteCount = 8;

    public static void Format(int debtor, Span<byte> name)
    {
        name[0] = (byte)'D';
        uint rest = (uint)debtor + 1;
        for (int i = ByteCount - 1; i > 0; i--)
        {
            (rest, uint digit) = Math.DivRem(rest, 10u);
            name[i] = (byte)('0' + digit);
        }
    }

    /// <summary>The index of the debtor with this name; false for a name that <see cref="Format"/> does not write.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out int debtor)
    {
        debtor = -1;
        if (name.Length != ByteCount || name[0] != (byte)'D')
            return false;
        int number = 0;
        foreach (byte b in name[1..])
        {
            if (b is < (byte)'0' or > (byte)'9')
                return false;
            number = number * 10 + (b - '0');
        }
        debtor = number - 1;
        return debtor >= 0;
    }
}
