using Collections.Domain;
using Collections.Server.Import;

namespace Collections.Server.Tests.Import;

public sealed class AmountFormatTests
{
    [Theory]
    // text, decimal, thousands, currency, minor units
    [InlineData("55.94", '.', '\0', "USD", 5594)]
    [InlineData("94", '.', '\0', "USD", 9400)]
    [InlineData("0.5", '.', '\0', "USD", 50)]
    [InlineData("-12.30", '.', '\0', "USD", -1230)]
    [InlineData("\u221212.30", '.', '\0', "USD", -1230)]
    [InlineData("007.00", '.', '\0', "USD", 700)]
    [InlineData("1,234,567.89", '.', ',', "USD", 123456789)]
    [InlineData("1234567.89", '.', ',', "USD", 123456789)]
    [InlineData("1.234,50", ',', '.', "EUR", 123450)]
    [InlineData("1 234,50", ',', ' ', "EUR", 123450)]
    [InlineData("1\u00A0234,50", ',', ' ', "EUR", 123450)]
    [InlineData("1\u202F234,50", ',', ' ', "EUR", 123450)]
    [InlineData("1'234.50", '.', '\'', "CHF", 123450)]
    [InlineData("1\u2019234.50", '.', '\'', "CHF", 123450)]
    [InlineData("1500", '.', '\0', "JPY", 1500)]
    [InlineData("1.234", '.', '\0', "KWD", 1234)]
    [InlineData("10000000000000.00", '.', '\0', "USD", 1_000_000_000_000_000)]
    public void Amounts_are_read_exactly(string text, char decimals, char thousands, string currency, long minor)
    {
        var format = new AmountFormat { Decimal = decimals, Thousands = thousands };
        Assert.Equal(AmountFault.None, format.TryReadMinor(text, Currency.Parse(currency), out long read));
        Assert.Equal(minor, read);
    }

    [Theory]
    // text, decimal, thousands, currency, why not
    [InlineData("", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("abc", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("12.5x", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("12.", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData(".50", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("-", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("--5", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("5-", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("1.2.3", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("1e5", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("0x10", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("NaN", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("\u0661\u0662", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("1,234.00", '.', '\0', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("1,23", '.', ',', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("12,34,567.00", '.', ',', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("1,2345", '.', ',', "USD", nameof(AmountFault.NotANumber))]
    [InlineData(",234", '.', ',', "USD", nameof(AmountFault.NotANumber))]
    [InlineData("55.945", '.', '\0', "USD", nameof(AmountFault.TooManyDecimals))]
    [InlineData("12.340", '.', '\0', "USD", nameof(AmountFault.TooManyDecimals))]
    [InlineData("100.00", '.', '\0', "JPY", nameof(AmountFault.TooManyDecimals))]
    [InlineData("10000000000000.01", '.', '\0', "USD", nameof(AmountFault.OutOfRange))]
    [InlineData("99999999999999999999999999999999999999999999999999", '.', '\0', "USD", nameof(AmountFault.OutOfRange))]
    [InlineData("79228162514264337593543950335", '.', '\0', "USD", nameof(AmountFault.OutOfRange))]
    public void What_is_no_exact_amount_is_refused(string text, char decimals, char thousands, string currency, string why)
    {
        var format = new AmountFormat { Decimal = decimals, Thousands = thousands };
        Assert.Equal(why, format.TryReadMinor(text, Currency.Parse(currency), out _).ToString());
    }

    [Theory]
    [InlineData("12345", nameof(NegativeStyle.Minus), "", true, false, 12345)]
    [InlineData("100.00-", nameof(NegativeStyle.TrailingMinus), "", false, false, -10000)]
    [InlineData("(100.00)", nameof(NegativeStyle.Parentheses), "", false, false, -10000)]
    [InlineData("$100.00", nameof(NegativeStyle.Minus), "$", false, false, 10000)]
    [InlineData("-$100.00", nameof(NegativeStyle.Minus), "$", false, false, -10000)]
    [InlineData("($100.00)", nameof(NegativeStyle.Parentheses), "$", false, false, -10000)]
    [InlineData("100.00 USD", nameof(NegativeStyle.Minus), "USD", false, false, 10000)]
    [InlineData("100.0000", nameof(NegativeStyle.Minus), "", false, true, 10000)]
    public void Units_signs_symbols_and_zeros_are_as_the_format_says(string text, string negative, string symbol, bool inMinorUnits, bool zeros, long minor)
    {
        var format = new AmountFormat { Negative = Enum.Parse<NegativeStyle>(negative), Symbol = symbol, InMinorUnits = inMinorUnits, AcceptsTrailingZeros = zeros };
        Assert.Equal(AmountFault.None, format.TryReadMinor(text, Currency.Parse("USD"), out long read));
        Assert.Equal(minor, read);
    }

    [Fact]
    public void Minor_units_have_no_decimals_and_accepted_zeros_are_only_zeros()
    {
        Assert.Equal(AmountFault.TooManyDecimals, new AmountFormat { InMinorUnits = true }.TryReadMinor("12.5", Currency.Parse("USD"), out _));
        Assert.Equal(AmountFault.TooManyDecimals, new AmountFormat { AcceptsTrailingZeros = true }.TryReadMinor("12.3401", Currency.Parse("USD"), out _));
    }
}

public sealed class DateFormatTests
{
    [Theory]
    [InlineData("2023-02-28", "yyyy-MM-dd", "2023-02-28")]
    [InlineData("1/2/2013", "M/d/yyyy", "2013-01-02")]
    [InlineData("12/31/2013", "M/d/yyyy", "2013-12-31")]
    [InlineData("31.12.2013", "dd.MM.yyyy", "2013-12-31")]
    [InlineData("20131231", "yyyyMMdd", "2013-12-31")]
    [InlineData("02-Jan-2013", "dd-MMM-yyyy", "2013-01-02")]
    [InlineData("2013-12-31 23:59", "yyyy-MM-dd HH:mm", "2013-12-31")]
    [InlineData("2024-02-29", "yyyy-MM-dd", "2024-02-29")]
    public void Dates_are_read_by_their_pattern(string text, string pattern, string date)
    {
        Assert.Equal(DateFault.None, new DateFormat([pattern]).TryRead(text, out Day day));
        Assert.Equal(date, day.ToString());
    }

    [Theory]
    [InlineData("2023-02-30", "yyyy-MM-dd", nameof(DateFault.NotADate))]
    [InlineData("2023-02-29", "yyyy-MM-dd", nameof(DateFault.NotADate))]
    [InlineData("2023-13-01", "yyyy-MM-dd", nameof(DateFault.NotADate))]
    [InlineData("31/12/2013", "M/d/yyyy", nameof(DateFault.NotADate))]
    [InlineData("1.2.2013", "dd.MM.yyyy", nameof(DateFault.NotADate))]
    [InlineData("2023-2-3", "yyyy-MM-dd", nameof(DateFault.NotADate))]
    [InlineData("2023-02-03 ", "yyyy-MM-dd", nameof(DateFault.NotADate))]
    [InlineData("soon", "yyyy-MM-dd", nameof(DateFault.NotADate))]
    [InlineData("0000-00-00", "yyyy-MM-dd", nameof(DateFault.NotADate))]
    [InlineData("1969-12-31", "yyyy-MM-dd", nameof(DateFault.OutOfRange))]
    [InlineData("2149-06-06", "yyyy-MM-dd", nameof(DateFault.OutOfRange))]
    [InlineData("9999-12-31", "yyyy-MM-dd", nameof(DateFault.OutOfRange))]
    public void What_is_no_date_is_refused(string text, string pattern, string why) =>
        Assert.Equal(why, new DateFormat([pattern]).TryRead(text, out _).ToString());

    [Theory]
    // text, zone, instant in UTC
    [InlineData("2024-01-12T15:49:25Z", "Europe/Berlin", "2024-01-12T15:49:25Z")]
    [InlineData("2024-01-12T15:49:25.125Z", "UTC", "2024-01-12T15:49:25.125Z")]
    [InlineData("2024-01-12T15:49:25+02:00", "UTC", "2024-01-12T13:49:25Z")]
    [InlineData("2024-01-12T15:49:25-05:30", "UTC", "2024-01-12T21:19:25Z")]
    [InlineData("2024-01-12T15:49:25", "UTC", "2024-01-12T15:49:25Z")]
    [InlineData("2024-01-12 15:49", "Europe/Berlin", "2024-01-12T14:49:00Z")]
    [InlineData("2024-07-12T15:49:25", "Europe/Berlin", "2024-07-12T13:49:25Z")]
    [InlineData("2024-10-27T02:30:00", "Europe/Berlin", "2024-10-27T00:30:00Z")]
    public void Iso_instants_without_an_offset_are_in_the_time_zone(string text, string zone, string utc)
    {
        var format = new InstantFormat([], TimeZoneInfo.FindSystemTimeZoneById(zone));
        Assert.Equal(DateFault.None, format.TryRead(text, out long ms));
        Assert.Equal(utc, EventText.Instant(ms));
    }

    [Theory]
    [InlineData("2024-01-12", nameof(DateFault.NotADate))]
    [InlineData("2024-01-12T25:00:00Z", nameof(DateFault.NotADate))]
    [InlineData("2024-02-30T10:00:00Z", nameof(DateFault.NotADate))]
    [InlineData("2024-01-12T15:49:25+2", nameof(DateFault.NotADate))]
    [InlineData("1705074565", nameof(DateFault.NotADate))]
    [InlineData("1969-12-31T00:00:00Z", nameof(DateFault.OutOfRange))]
    [InlineData("9999-12-31T23:59:59Z", nameof(DateFault.OutOfRange))]
    [InlineData("0001-01-01T00:00:00Z", nameof(DateFault.OutOfRange))]
    [InlineData("2024-03-31T02:30:00", nameof(DateFault.SkippedByClock))]
    public void What_is_no_instant_is_refused(string text, string why)
    {
        var format = new InstantFormat([], TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
        Assert.Equal(why, format.TryRead(text, out _).ToString());
    }

    [Fact]
    public void Instants_are_read_by_a_pattern_too()
    {
        var berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        Assert.Equal(DateFault.None, new InstantFormat(["dd.MM.yyyy HH:mm:ss"], berlin).TryRead("12.07.2024 15:49:25", out long local));
        Assert.Equal("2024-07-12T13:49:25Z", EventText.Instant(local));
        Assert.Equal(DateFault.None, new InstantFormat(["yyyyMMddHHmmsszzz"], berlin).TryRead("20240712154925+00:00", out long zoned));
        Assert.Equal("2024-07-12T15:49:25Z", EventText.Instant(zoned));
    }

    [Theory]
    [InlineData("UTC", "2024-07-12", "2024-07-12T23:59:59.999Z")]
    [InlineData("Europe/Berlin", "2024-07-12", "2024-07-12T21:59:59.999Z")]
    [InlineData("America/Sao_Paulo", "2018-11-03", "2018-11-04T02:59:59.999Z")]
    public void A_date_of_knowledge_is_the_end_of_that_day_in_the_time_zone(string zone, string date, string utc)
    {
        Assert.True(Day.TryParse(date, out Day day));
        Assert.Equal(utc, EventText.Instant(new InstantFormat([], TimeZoneInfo.FindSystemTimeZoneById(zone)).EndOf(day)));
    }
}
