using System.Globalization;
using System.Text;

namespace Collections.Domain.Tests.Events;

/// <summary>Hashes that are persisted or shared with others: they may never change.</summary>
public class HashTests
{
    // Vectors of Kafka's own tests (UtilsTest.testMurmur2).
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_agrees_with_Kafka(string key, int expected) => Assert.Equal(expected, (int)Murmur2.Of(Encoding.UTF8.GetBytes(key)));

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("ab")]
    [InlineData("abc")]
    [InlineData("abcd")]
    [InlineData("abcdefgh")]
    [InlineData("abcdefghijklmnop")]
    [InlineData("abcdefghijklmnopq")]
    [InlineData("default/debtor-0000001 and a tail that is longer than two blocks")]
    public void Hash64_never_changes(string text) =>
        Assert.Equal(Golden[text], Hash64.Of(Encoding.UTF8.GetBytes(text)).ToString("x16", CultureInfo.InvariantCulture));

    [Fact]
    public void Hash64_depends_on_its_seed() => Assert.NotEqual(Hash64.Of("abc"u8), Hash64.Of("abc"u8, seed: 1));

    private static readonly Dictionary<string, string> Golden = new()
    {
        [""] = "69fd2d0d3d2206e1",
        ["a"] = "4c72f69afc18cfad",
        ["ab"] = "66a096fd0bf4208c",
        ["abc"] = "ab5895fdd0d2dd6f",
        ["abcd"] = "7a973688bf400bb8",
        ["abcdefgh"] = "38ebe44c52c2f500",
        ["abcdefghijklmnop"] = "796481c08925d38c",
        ["abcdefghijklmnopq"] = "8f606be59e42d2f3",
        ["default/debtor-0000001 and a tail that is longer than two blocks"] = "6d305cf53f9877dc",
    };
}
