using System.Text.Json;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>The demo as a user runs it: the same seed, the same result, and nobody contacted who should not be.</summary>
public sealed class DemoTests
{
    private static readonly string[] Keys =
    [
        "debtors", "events", "events_per_second", "bytes_per_debtor", "model", "actions_pulled", "payments_live", "paid_still_queued", "double_leased",
        "ledger_balanced", "seed", "result_hash",
    ];

    [Fact]
    public async Task The_demo_repeats_itself_for_a_seed_and_differs_for_another()
    {
        JsonElement[] runs = await Task.WhenAll(RunAsync(11), RunAsync(11), RunAsync(12));
        foreach (JsonElement run in runs)
        {
            Assert.All(Keys, key => Assert.True(run.TryGetProperty(key, out _), $"the result has no {key}"));
            Assert.Equal(1_500, run.GetProperty("debtors").GetInt32());
            Assert.Equal(0, run.GetProperty("paid_still_queued").GetInt32());
            Assert.Equal(0, run.GetProperty("double_leased").GetInt32());
            Assert.True(run.GetProperty("ledger_balanced").GetBoolean());
            Assert.True(run.GetProperty("actions_pulled").GetInt64() > 0);
            Assert.True(run.GetProperty("payments_live").GetInt64() > 0);
            Assert.True(run.GetProperty("events").GetInt64() > 1_500);
        }
        Assert.Equal(Outcome(runs[0]), Outcome(runs[1]));
        Assert.NotEqual(runs[0].GetProperty("result_hash").GetString(), runs[2].GetProperty("result_hash").GetString());
    }

    /// <summary>Everything in the result that is not a measurement.</summary>
    private static string Outcome(JsonElement run) => string.Join(' ', Keys.Where(k => k is not ("events_per_second" or "bytes_per_debtor")).Select(k => run.GetProperty(k).GetRawText()));

    private static async Task<JsonElement> RunAsync(int seed)
    {
        CommandResult result = await CollectionsProcess.RunAsync("demo", "--debtors", "1500", "--seed", $"{seed}", "--json");
        return JsonDocument.Parse(result.RequireSuccess()).RootElement;
    }
}
