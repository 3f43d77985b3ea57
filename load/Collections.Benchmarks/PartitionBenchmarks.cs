using BenchmarkDotNet.Attributes;
using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Engine.Partitions;
using Collections.Engine.Scoring;

namespace Collections.Benchmarks;

/// <summary>
/// One partition on one thread, without log and store: a slice of 2,048 small payments to as many debtors, from decoding to the rank
/// in the queue. One operation is one slice.
/// </summary>
[MemoryDiagnoser]
public class PartitionBenchmarks : IDisposable
{
    private const int SliceRecords = 2_048;
    private static readonly Day Today = Day.Of(new DateOnly(2026, 7, 1));
    private readonly RecordBatch slice = new();
    private readonly EventWriter writer = new();
    private Partition partition = null!;
    private long offset;
    private int next;

    [Params(100_000)]
    public int Debtors { get; set; }

    [Params(false, true)]
    public bool Scored { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        ScoringModel? model = Scored ? ScoringModel.Create("shipped", new ModelFiles(ShippedModelText.Read(), ""), out _) : null;
        partition = new Partition(0, 1, ModelSet.Of(model), DebtorOptions.Default);
        for (int debtor = 0; debtor < Debtors; debtor++)
        {
            var address = new EventAddress { Debtor = Text($"D{debtor}"), Id = Text($"I{debtor}"), Effective = Today.Plus(-60) };
            slice.Add(EventStream.Invoices, debtor, Today.StartMs, false, writer.ItemIssued(address, Text("2026-05"), Component.Principal, 10_000_000, Currency.Parse("EUR"), Today.Plus(-30)));
            if (slice.Count == SliceRecords || debtor == Debtors - 1)
                Run();
        }
    }

    [IterationSetup]
    public void Fill()
    {
        slice.Clear();
        for (int i = 0; i < SliceRecords; i++, next++)
        {
            var address = new EventAddress { Debtor = Text($"D{(uint)next * 2_654_435_761 % (uint)Debtors}"), Id = Text($"P{next}"), Effective = Today };
            slice.Add(EventStream.Payments, offset++, Today.StartMs, false, writer.PaymentReceived(address, 1 + next % 100, Currency.Parse("EUR")));
        }
    }

    [Benchmark(OperationsPerInvoke = SliceRecords)]
    public long Slice()
    {
        partition.RunOnce(new Slice { Records = slice, CaughtUp = false, NowMs = Today.EndMs - 1, SweepMax = 0 });
        return partition.Counters.Applied;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        partition.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Run()
    {
        partition.RunOnce(new Slice { Records = slice, CaughtUp = false, NowMs = Today.StartMs, SweepMax = 0 });
        slice.Clear();
    }

    private static byte[] Text(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
