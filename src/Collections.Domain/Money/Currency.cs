namespace Collections.Domain;

/// <summary>
/// An ISO 4217 currency: its three letters, five bits each, in two bytes. Zero means "none". Amounts are integers of its minor
/// unit, whose exponent is <see cref="MinorDigits"/>.
/// </summary>
public readonly record struct Currency(ushort Code)
{
    public static readonly Currency None;

    // ISO 4217 active codes (list of 2024), grouped by the exponent of their minor unit.
    private const string TwoDigits =
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY " +
        "COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR " +
        "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO " +
        "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS " +
        "TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";

    private const string NoDigits = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
    private const string ThreeDigits = "BHD IQD JOD KWD LYD OMR TND";
    private const string FourDigits = "CLF UYW";

    private static readonly sbyte[] Digits = BuildDigits();

    public bool IsNone => Code == 0;

    /// <summary>Decimal digits of the minor unit: 0 (JPY) to 4 (CLF).</summary>
    public int MinorDigits => Digits[Code];

    /// <summary>Minor units in one major unit: 1 to 10,000.</summary>
    public int MinorPerMajor => MinorDigits switch { 0 => 1, 2 => 100, 3 => 1_000, 4 => 10_000, _ => 1 };

    /// <summary>Reads three capital letters of an active ISO 4217 code; anything else gives false.</summary>
    public static bool TryParse(ReadOnlySpan<byte> letters, out Currency currency)
    {
        currency = None;
        if (letters.Length != 3)
            return false;
        int code = 0;
        foreach (byte b in letters)
        {
            if (b is < (byte)'A' or > (byte)'Z')
                return false;
            code = code << 5 | (b - 'A' + 1);
        }
        if (Digits[code] < 0)
            return false;
        currency = new Currency((ushort)code);
        return true;
    }

    public static Currency Parse(string letters) =>
        TryParse(System.Text.Encoding.UTF8.GetBytes(letters), out Currency currency)
            ? currency
            : throw new FormatException($"'{letters}' is no ISO 4217 currency code (three capital letters, such as EUR)");

    /// <summary>Major units as a double, as features and values take them; never used to add money up.</summary>
    public double ToMajor(long minorUnits) => (double)minorUnits / MinorPerMajor;

    /// <summary>Writes the three letters.</summary>
    public void Format(Span<byte> letters)
    {
        letters[0] = (byte)('A' - 1 + (Code >> 10));
        letters[1] = (byte)('A' - 1 + (Code >> 5 & 31));
        letters[2] = (byte)('A' - 1 + (Code & 31));
    }

    public override string ToString()
    {
        if (IsNone)
            return "none";
        Span<byte> letters = stackalloc byte[3];
        Format(letters);
        return System.Text.Encoding.ASCII.GetString(letters);
    }

    private static sbyte[] BuildDigits()
    {
        var digits = new sbyte[1 << 15];
        Array.Fill(digits, (sbyte)-1);
        foreach ((string codes, sbyte count) in new[] { (TwoDigits, (sbyte)2), (NoDigits, (sbyte)0), (ThreeDigits, (sbyte)3), (FourDigits, (sbyte)4) })
        {
            foreach (string code in codes.Split(' '))
                digits[(code[0] - 'A' + 1) << 10 | (code[1] - 'A' + 1) << 5 | (code[2] - 'A' + 1)] = count;
        }
        digits[0] = 2;
        return digits;
    }
}
