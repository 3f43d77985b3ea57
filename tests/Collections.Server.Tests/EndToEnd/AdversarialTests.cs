using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Server.Hosting;
using Collections.Server.Tests.Import;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>Late, backdated, reversed, redelivered, tied: in every order of arrival the same ledger, credit and features.</summary>
public sealed class AdversarialTests
{
    [SharedDataFact]
    public async Task Imported_in_the_order_of_arrival_every_ledger_credit_and_feature_is_as_expected_at_all_six_dates()
    {
        using var folder = new TestFolder();
        (await CollectionsProcess.RunAsync(
            "import", AdversarialSet.File("events.csv"), "--mapping", Folders.MappingFile("adversarial.yaml"), "--data", folder["data"])).RequireSuccess();
        foreach (string date in AdversarialSet.Dates)
        {
            string output = (await CollectionsProcess.RunAsync("features", "--data", folder["data"], "--as-of", date)).RequireSuccess();
            Dictionary<string, Dictionary<string, string>> actual = Tables.RowsOf(output.TrimEnd('\n').Split('\n')).ToDictionary(r => r["debtor"]);
            var differences = new Differences($"'features --as-of {date}'");
            Assert.Equal(AdversarialSet.Instance.Expected(date).Keys.Order(StringComparer.Ordinal), actual.Keys);
            foreach ((string debtor, DebtorState must) in AdversarialSet.Instance.Expected(date))
            {
                foreach ((string name, double value) in must.Features.Where(f => !Tables.Agree(f.Value, Tables.Number(actual[debtor][f.Key]))))
                    differences.Add($"{debtor} {name}: expected {value:R}, got {actual[debtor][name]}");
            }
            differences.RequireNone();
        }
        using IEventLog log = new DataDirectory(folder["data"]).OpenLog(null, TimeProvider.System);
        foreach (string date in AdversarialSet.Dates)
            AdversarialSet.Instance.Judge(date, AdversarialSet.Read(log, date), "the imported log");
    }

    [SharedDataFact]
    public async Task In_ten_random_orders_of_arrival_the_log_gives_the_same_past()
    {
        for (int seed = 1; seed <= 10; seed++)
        {
            using var folder = new TestFolder();
            using IEventLog log = new DataDirectory(folder.Path).OpenLog(1 + seed % 4, TimeProvider.System);
            await log.AppendAsync(BatchOf(log, Shuffled(seed, AdversarialSet.Instance.Deliveries), AdversarialSet.KnownMs), CancellationToken.None);
            foreach (string date in AdversarialSet.Dates)
                AdversarialSet.Instance.Judge(date, AdversarialSet.Read(log, date), $"the log in the random order {seed}");
        }
    }

    [SharedDataFact]
    public async Task In_ten_random_orders_of_arrival_a_live_node_comes_to_the_same_present()
    {
        string date = AdversarialSet.Dates[^1];
        Assert.True(Day.TryParse(date, out Day day));
        List<Dictionary<string, string>> known = [.. AdversarialSet.Instance.Deliveries.Where(r => AdversarialSet.KnownMs(r) < day.EndMs)];
        for (int seed = 1; seed <= 10; seed++)
        {
            using var folder = new TestFolder();
            var directory = new DataDirectory(folder.Path);
            using IEventLog log = directory.OpenLog(1 + seed % 4, TimeProvider.System);
            using Engine.Stores.IStore store = directory.OpenStore();
            var clock = new VirtualClock(day.EndMs - 1);
            var warnings = new List<string>();
            await using (Node node = Node.Start(log, store, new EngineOptions { SliceRecords = 300 }, clock, warnings.Add))
            {
                // Several appends, so that slices and histories are cut at many places.
                foreach (Dictionary<string, string>[] chunk in Shuffled(seed, known).Chunk(1_500))
                    await log.AppendAsync(BatchOf(log, chunk, _ => clock.NowMs), CancellationToken.None);
                await node.SettleAsync();
                Dictionary<string, DebtorState> states = await StatesAsync(node, AdversarialSet.Instance.Expected(date).Keys);
                // Ages end a millisecond before the day does; at most that much differs, in days.
                AdversarialSet.Instance.Judge(date, states, $"a live node in the random order {seed}", ageTolerance: 1.3 / Day.MsPerDay);
            }
            Assert.Empty(warnings);
        }
    }

    private static async Task<Dictionary<string, DebtorState>> StatesAsync(Node node, IEnumerable<string> debtors)
    {
        var states = new Dictionary<string, DebtorState>();
        byte[] tenant = EventReader.DefaultTenant.ToArray();
        foreach (string name in debtors)
        {
            byte[] debtor = Encoding.UTF8.GetBytes(name);
            DebtorSnapshot? snapshot = await node.Ask(DebtorKey.PartitionOf(tenant, debtor, node.PartitionCount), p => p.View.Debtor(tenant, debtor));
            if (snapshot is not null)
            {
                states.Add(name, new DebtorState(
                    snapshot.Items.Where(i => i.OpenMinor > 0).ToDictionary(i => i.Name, i => i.OpenMinor), snapshot.Facts.UnappliedMinor, AdversarialSet.ByName(snapshot.Features)));
            }
        }
        Assert.Equal(states.Count, (await node.AskAll(p => p.View.DebtorCount)).Sum());
        return states;
    }

    private static List<Dictionary<string, string>> Shuffled(int seed, IEnumerable<Dictionary<string, string>> rows)
    {
        Dictionary<string, string>[] shuffled = [.. rows];
        new Random(seed).Shuffle(shuffled);
        return [.. shuffled];
    }

    private static AppendBatch BatchOf(IEventLog log, IEnumerable<Dictionary<string, string>> rows, Func<Dictionary<string, string>, long> knownMs)
    {
        var batch = new AppendBatch();
        foreach (Dictionary<string, string> row in rows)
        {
            byte[] debtor = Encoding.UTF8.GetBytes(row["debtor"]);
            EventStream stream = Enum.Parse<EventStream>(row["stream"], ignoreCase: true);
            batch.Add(
                DebtorKey.PartitionOf(EventReader.DefaultTenant, debtor, log.PartitionCount), stream, DebtorKey.HashOf(EventReader.DefaultTenant, debtor),
                knownMs(row), history: false, AdversarialSet.EventOf(row));
        }
        return batch;
    }
}
