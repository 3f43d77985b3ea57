using System.Text;

namespace Collections.Domain.Tests.Events;

public class DayTests
{
    [Fact]
    public void Every_day_is_written_and_read_as_the_calendar_has_it()
    {
        Span<byte> iso = stackalloc byte[10];
        for (int number = Day.Min.Number; number <= Day.Max.Number; number++)
        {
            var day = new Day((ushort)number);
            day.Format(iso);
            Assert.True(Day.TryParse(iso, out Day read));
            Assert.Equal(day, read);
            Assert.Equal((int)day.ToDateOnly().DayOfWeek, day.DayOfWeek % 7);
        }
    }

    [Theory]
    [InlineData("1970-01-01")]
    [InlineData("1969-12-31")]
    [InlineData("2149-06-06")]
    [InlineData("2150-01-01")]
    [InlineData("2023-02-29")]
    [InlineData("2100-02-29")]
    [InlineData("2024-04-31")]
    [InlineData("2024-00-10")]
    [InlineData("2024-13-10")]
    [InlineData("2024-01-00")]
    [InlineData("2024-1-010")]
    [InlineData("2024/01/01")]
    [InlineData("20240101")]
    [InlineData("")]
    public void What_is_no_day_or_out_of_range_is_refused(string iso) => Assert.False(Day.TryParse(Encoding.UTF8.GetBytes(iso), out _));
}
