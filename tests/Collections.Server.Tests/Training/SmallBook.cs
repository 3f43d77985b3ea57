using Collections.Server.Tests.EndToEnd;

namespace Collections.Server.Tests.Training;

/// <summary>A log of a few debtors with text categories, imported once by the program itself; everything is known on the day it is true.</summary>
public sealed class SmallBook : IAsyncLifetime, IDisposable
{
    private const string Mapping = """
        version: 1
        files:
          - file: people.csv
            debtor: debtor
            events:
              - {event: DebtorRegistered, id: "{debtor} registered", effective_date: since, known_date: since, tenant: tenant, portfolio: {constant: telco}, customer_type: type, product: product, region: region}
          - file: invoices.csv
            debtor: debtor
            events:
              - {event: ItemIssued, id: invoice, effective_date: issued, known_date: issued, tenant: tenant, item: invoice, amount: amount, currency: {constant: EUR}, due: due}
          - file: payments.csv
            debtor: debtor
            events:
              - {event: PaymentReceived, id: payment, effective_date: paid, known_date: booked, tenant: tenant, amount: amount, currency: {constant: EUR}}
          - file: calls.csv
            debtor: debtor
            events:
              - {event: AttemptReported, id: call, effective_at: at, known_at: at, tenant: tenant, channel: {constant: voice}, outcome: {constant: no_answer}}
        """;

    private readonly TestFolder folder = new();

    internal string Data => folder["data"];

    internal string this[string name] => folder[name];

    public async Task InitializeAsync()
    {
        (string Name, string Text)[] files =
        [
            ("people.csv", "tenant,debtor,since,type,product,region\nacme,ann,2024-01-01,2,mobile,north\nacme,bob,2024-01-01,1,fixed,7\nacme,cyd,2024-01-01,2,\"mobile, prepaid\",\nzeta,ann,2024-01-01,,,south\n"),
            ("invoices.csv", "tenant,debtor,invoice,issued,due,amount\nacme,ann,a1,2024-01-10,2024-02-01,100.00\nacme,bob,b1,2024-01-10,2024-02-01,80.00\nacme,cyd,c1,2024-01-10,2024-03-20,60.00\nzeta,ann,z1,2024-01-10,2024-01-20,40.00\nacme,bob,b2,2024-04-10,2024-04-20,10.00\n"),
            ("payments.csv", "tenant,debtor,payment,paid,booked,amount\nacme,ann,p1,2024-03-05,2024-03-07,50.00\nacme,bob,p2,2024-02-20,2024-03-02,80.00\nzeta,ann,p3,2024-04-09,2024-04-09,40.00\n"),
            ("calls.csv", "tenant,debtor,call,at\nacme,bob,k1,2024-03-03T10:00:00Z\n"),
        ];
        string mapping = folder.Write("mapping.yaml", Mapping);
        CommandResult import = await CollectionsProcess.RunAsync(
            ["import", .. files.Select(file => folder.Write(file.Name, file.Text)), "--mapping", mapping, "--data", Data, "--partitions", "3"]);
        import.RequireSuccess();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => folder.Dispose();

    internal Task<CommandResult> ExportAsync(string target, string options) =>
        CollectionsProcess.RunAsync(["export", "training-set", "--data", Data, "--out", folder[target], .. options.Split(' ')]);
}
