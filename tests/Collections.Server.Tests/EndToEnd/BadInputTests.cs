using System.Net;
using System.Net.Sockets;
using Collections.Server.Tests.Services;
using Collections.V1;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>
/// Mistakes at the command line. Each ends with exit code 2 (an import that took some rows: 1) and a message that names what is wrong and what to
/// do; never with a stack trace.
/// </summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>The command, with {data} for a folder of the test and {name} for a file that it has written there, and what the message must say.</summary>
    public static TheoryData<string, string> Mistakes => new()
    {
        { "nonsense", "nonsense" },
        { "import {rows.csv}", "--mapping" },
        { "import --mapping {good.yaml}", "Required argument" },
        { "import {rows.csv} --mapping {missing.yaml}", "missing.yaml" },
        { "import {rows.csv} --mapping {broken.yaml}", "broken.yaml" },
        { "import {rows.csv} --mapping {unknown-field.yaml}", "amonut" },
        { "import {rows.csv} --mapping {good.yaml} --partitions many", "many" },
        { "import {rows.csv} --mapping {good.yaml} --partitions 0", "1 to 1024, but is 0" },
        { "import {absent/rows.csv} --mapping {good.yaml}", "rows.csv" },
        { "import {other.csv} --mapping {good.yaml}", "no section of" },
        { "import {no-column.csv} --mapping {no-column.yaml}", "value" },
        { "features --data {data}", "--as-of" },
        { "features --data {data} --as-of 2005-02-30", "2005-02-30" },
        { "features --data {data} --as-of yesterday", "yesterday" },
        { "features --data {empty} --as-of 2005-02-28", "no log" },
        { "export", "Required command" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01", "--label" },
        { "export training-set --data {data} --from 2024-01-32 --to 2024-02-01 --label any-payment", "--from: '2024-01-32' is no date" },
        { "export training-set --data {data} --from 2024-01-01 --to soon --label any-payment", "--to: 'soon' is no date" },
        { "export training-set --data {data} --from 2024-03-01 --to 2024-02-01 --label any-payment", "--from: 2024-03-01 is later than --to 2024-02-01" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01 --label paid:2", "--label: 'paid:2' is none of paid:SHARE" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01 --label past-due:31", "can't come true within a horizon of 30 days" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01 --label any-payment --every 7", "--every: '7' is no number of days or weeks" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01 --label any-payment --every 0d", "--every: '0d'" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01 --label any-payment --horizon 53w", "--horizon: '53w'" },
        { "export training-set --data {data} --from 1980-01-01 --to 2024-02-01 --label any-payment --every 1d", "at most 3,660" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01 --label any-payment --sample 0", "--sample: must be above 0" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01 --label any-payment --sample NaN", "--sample: must be above 0" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01 --label any-payment --known-as now", "--known-as: 'now' is neither" },
        { "export training-set --data {data} --from 2024-01-01 --to 2024-02-01 --label any-payment --complete-through never", "--complete-through: 'never' is no date" },
        { "export training-set --data {empty} --from 2024-01-01 --to 2024-02-01 --label any-payment", "no log" },
        { "score --model {missing.txt} --features {features.csv}", "missing.txt" },
        { "score --model {rows.csv} --features {features.csv}", "rows.csv" },
        { "score --model {tiny.txt} --features {missing.csv}", "missing.csv" },
        { "score --model {tiny.txt} --features {rows.csv}", "lacks the model's feature 'open_balance'" },
        { "score --model {tiny.txt} --features {bad-number.csv}", "'a lot' is no number" },
        { "score --model {tiny.txt} --features {short.csv} --no-header", "column 2 (oldest_dpd) is missing" },
        { "score --model {tiny.txt} --features {nothing.csv}", "is empty" },
        { "serve --data {data} --listen 0.0.0.0:0", "can be reached from other machines" },
        { "serve --data {data} --metrics 0.0.0.0:0", "--metrics: '0.0.0.0:0' can be reached from other machines" },
        { "serve --data {data} --listen nowhere", "is no address and port" },
        { "serve --data {data} --model {missing.txt}", "missing.txt" },
        { "serve --data {data} --model {rows.csv}", "rows" },
        { "serve --data {data} --model {unfed.txt}", "does not feed yet" },
        { "serve --data {data} --model {unknown.txt}", "which the catalogue does not have" },
        { "serve --data {data} --partitions 0", "1 to 1024, but is 0" },
        { "serve --data {rows.csv}", "rows.csv" },
        { "demo --debtors 0", "--debtors: must be 1 to 10,000,000, but is 0" },
        { "demo --debtors few", "few" },
        { "demo --months 25", "--months: must be 1 to 24, but is 25" },
        { "demo --debtors 10 --data {full}", "is not empty" },
        { "status --address ftp://127.0.0.1:1", "is no address" },
        { "status --address http://", "is no address" },
        { "status --address {free}", "no node answers at" },
        { "pull default/voice --address {free}", "no node answers at" },
        { "debtor ann --address {free}", "no node answers at" },
        { "status --address no-such-host.invalid:7700", "no node answers at" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_is_named_and_ends_the_command_with_code_2(string command, string says)
    {
        WriteFiles();
        string[] arguments = [.. command.Split(' ').Select(Place)];
        if (arguments[0] == "import")
            arguments = [.. arguments, "--data", folder["data"]];
        Require(await CollectionsProcess.RunAsync(arguments), 2, says);
    }

    [Fact]
    public async Task An_import_that_refused_some_rows_ends_with_code_1_and_names_each()
    {
        WriteFiles();
        CommandResult result = await CollectionsProcess.RunAsync("import", folder.Write("rows-2.csv", "debtor,id,value\nann,1,10.00\nbob,2,ten\n"), "--mapping", folder["two.yaml"], "--data", folder["data"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("rows-2.csv:3: value 'ten'", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors + result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_in_use_an_address_in_use_and_bad_requests_are_refused_by_name()
    {
        WriteFiles();
        await using ServeProcess node = await ServeProcess.StartAsync(folder["data"], "--partitions", "2");
        await node.WaitServingAsync();
        string inUse = $"{folder["data"]}{Path.DirectorySeparatorChar}log is in use by process ";
        Require(await CollectionsProcess.RunAsync("serve", "--data", folder["data"], "--listen", "127.0.0.1:0"), 2, inUse, "another directory");
        Require(await CollectionsProcess.RunAsync("import", folder["rows.csv"], "--mapping", folder["good.yaml"], "--data", folder["data"]), 2, inUse);
        Require(await CollectionsProcess.RunAsync("features", "--data", folder["data"], "--as-of", "2024-01-31"), 2, inUse);
        Require(await CollectionsProcess.RunAsync("serve", "--data", folder["data-2"], "--listen", node.Authority), 2, $"can't listen on {node.Authority}", "choose another --listen");
        Require(await CollectionsProcess.RunAsync("pull", "default/voice", "-n", "1001", "--address", node.Address), 2, "InvalidArgument: count: must be 1 to 1000, but is '1001'");
        Require(await CollectionsProcess.RunAsync("pull", "voice", "--address", node.Address), 2, "queue: must be portfolio/channel");
        Require(await CollectionsProcess.RunAsync("pull", "default/voice", "--lease-seconds", "86401", "--address", node.Address), 2, "lease_seconds: must be 0", "86400, but is '86401'");
        Require(await CollectionsProcess.RunAsync("debtor", "nobody", "--address", node.Address), 2, "NotFound: tenant 'default' has no debtor 'nobody'");
        Require(await CollectionsProcess.RunAsync("debtor", "ann", "--events", "1001", "--address", node.Address), 2, "last_events: must be 0 to 1000, but is '1001'");

        CommandResult end = await node.StopAsync();
        Assert.True(end.ExitCode == 0 && end.Errors.Length == 0, $"exit code {end.ExitCode}: {end.Errors}");
        Require(await CollectionsProcess.RunAsync("serve", "--data", folder["data"], "--listen", "127.0.0.1:0", "--partitions", "3"), 2, "2 partitions", "3");
        Require(await CollectionsProcess.RunAsync("import", folder["rows.csv"], "--mapping", folder["good.yaml"], "--data", folder["data"], "--partitions", "3"), 2, "2 partitions", "3");
    }

    /// <summary>Which file of a data directory is damaged, how, and which command meets it.</summary>
    public static TheoryData<string, string, string> Damages => new()
    {
        { "log/log.json", "overwritten", "serve" },
        { "log/log.json", "emptied", "features" },
        { "log/p0000/*.segment", "overwritten", "serve" },
        { "log/p0000/*.segment", "shortened", "serve" },
        { "log/p0000/*.segment", "a record changed", "features" },
        { "store/p0000.db", "overwritten", "serve" },
        { "store/p0000.db", "shortened", "serve" },
        { "store/leases.db", "overwritten", "serve" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_file_is_named_and_nothing_is_served_from_it(string pattern, string damage, string command)
    {
        var events = new EventsOf("default");
        await using (ServeProcess node = await ServeProcess.StartAsync(folder["data"], "--partitions", "1"))
        {
            await node.WaitServingAsync();
            for (int i = 0; i < 10; i++)
            {
                var request = new AppendRequest();
                request.Events.AddRange(Enumerable.Range(i * 50, 50).Select(n => events.Issued($"debtor-{n}", $"item-{n}", 1_000 + n, new DateOnly(2026, 1, 1), new DateOnly(2026, 1, 31))));
                await new Ingest.IngestClient(node.Channel).AppendAsync(request);
            }
            Assert.Equal(0, (await node.StopAsync()).ExitCode);
        }
        string file = Directory.GetFiles(Path.Combine(folder["data"], Path.GetDirectoryName(pattern)!), Path.GetFileName(pattern)).Single();
        Damage(file, damage);
        string[] more = command == "serve" ? ["--listen", "127.0.0.1:0"] : ["--as-of", "2100-01-01"];
        Require(await CollectionsProcess.RunAsync([command, "--data", folder["data"], .. more]), 2, Path.GetFileName(file));
    }

    private static void Damage(string file, string how)
    {
        byte[] bytes = File.ReadAllBytes(file);
        switch (how)
        {
            case "emptied": bytes = []; break;
            case "shortened": bytes = bytes[..(bytes.Length / 2)]; break;
            case "overwritten": bytes.AsSpan(0, Math.Min(bytes.Length, 8_192)).Fill(0x5a); break;
            default:
                ReadOnlySpan<byte> name = "debtor-250"u8;
                Assert.True(bytes.AsSpan().IndexOf(name) > 0, $"{file} does not hold the record that is to be damaged");
                for (int at = bytes.AsSpan().IndexOf(name); at >= 0; at = bytes.AsSpan().IndexOf(name))
                    bytes[at + name.Length - 1] = (byte)'1';
                break;
        }
        File.WriteAllBytes(file, bytes);
    }

    private static void Require(CommandResult result, int exitCode, params string[] says)
    {
        string all = result.Errors + result.Output;
        Assert.True(result.ExitCode == exitCode, $"exit code {result.ExitCode}: {all}");
        Assert.All(says, part => Assert.Contains(part, all, StringComparison.Ordinal));
        Assert.DoesNotContain("Unhandled", all, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", all, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", all, StringComparison.Ordinal);
    }

    private string Place(string word) => word switch
    {
        "{free}" => $"127.0.0.1:{FreePort()}",
        _ when word.StartsWith('{') => folder[word.Trim('{', '}')],
        _ => word,
    };

    private void WriteFiles()
    {
        folder.Write("rows.csv", "debtor,id,value\nann,1,10.00\n");
        folder.Write("other.csv", "debtor,id,value\nann,1,10.00\n");
        folder.Write("no-column.csv", "debtor,id\nann,1\n");
        string mapping = """
            version: 1
            currency: EUR
            files:
              - file: rows.csv
                debtor: debtor
                events:
                  - {event: ItemIssued, id: id, item: id, effective_date: {constant: 2024-01-01}, due: {constant: 2024-01-31}, amount: value}
            """;
        folder.Write("good.yaml", mapping);
        folder.Write("two.yaml", mapping.Replace("rows.csv", "rows-2.csv", StringComparison.Ordinal));
        folder.Write("no-column.yaml", mapping.Replace("rows.csv", "no-column.csv", StringComparison.Ordinal));
        folder.Write("unknown-field.yaml", mapping.Replace("amount:", "amonut:", StringComparison.Ordinal));
        folder.Write("broken.yaml", "version: [1\n  files:\n");
        folder.Write("nothing.csv", "");
        folder.Write("features.csv", "open_balance,oldest_dpd\n1,2\n");
        folder.Write("bad-number.csv", "open_balance,oldest_dpd\n1,2\n1,a lot\n");
        folder.Write("short.csv", "1,2\n3\n");
        folder.Write("tiny.txt", TinyModel.Text("open_balance", "oldest_dpd"));
        folder.Write("unfed.txt", TinyModel.Text("open_balance", "hardship_active"));
        folder.Write("unknown.txt", TinyModel.Text("open_balance", "shoe_size"));
        Directory.CreateDirectory(folder["full"]);
        folder.Write(Path.Combine("full", "file"), "here");
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

/// <summary>The smallest model that asks for two features: one tree with two leaves.</summary>
internal static class TinyModel
{
    public static string Text(string first, string second)
    {
        string tree = """
            Tree=0
            num_leaves=2
            num_cat=0
            split_feature=0
            split_gain=1
            threshold=100
            decision_type=2
            left_child=-1
            right_child=-2
            leaf_value=0.5 -0.5
            leaf_weight=1 1
            leaf_count=1 1
            internal_value=0
            internal_weight=2
            internal_count=2
            is_linear=0
            shrinkage=1


            """.ReplaceLineEndings("\n");
        return $"""
            tree
            version=v4
            num_class=1
            num_tree_per_iteration=1
            label_index=0
            max_feature_idx=1
            objective=binary sigmoid:1
            feature_names={first} {second}
            feature_infos=[0:1000] [0:1000]
            tree_sizes={tree.Length}


            """.ReplaceLineEndings("\n") + tree + "end of trees\n";
    }
}
