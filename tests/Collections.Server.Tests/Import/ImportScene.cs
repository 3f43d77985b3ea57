using System.Text;
using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Server.Import;

namespace Collections.Server.Tests.Import;

/// <summary>One event as it was appended.</summary>
internal sealed record AppendedEvent(int Partition, EventStream Stream, ulong DebtorHash, long KnownMs, bool History, byte[] Content)
{
    public override string ToString() => EventText.Of(Content, KnownMs);
}

/// <summary>A folder with a mapping and files, and an import of them into a list.</summary>
internal sealed class ImportScene : IDisposable
{
    public const int PartitionCount = 4;

    public static readonly DateTimeOffset Now = new(2026, 11, 22, 9, 0, 0, TimeSpan.Zero);

    private readonly string folder = Directory.CreateTempSubdirectory("import-").FullName;
    private readonly List<string> files = [];

    public List<AppendedEvent> Log { get; } = [];

    public int LargestBatch { get; private set; }

    public string MappingPath => Path.Combine(folder, "mapping.yaml");

    /// <summary>What was appended without the ends of imports, as lines that can be compared.</summary>
    public IReadOnlyList<string> Events => [.. Log.Where(e => EventText.KindOf(e.Content) != EventKind.ImportEnded).Select(e => e.ToString())];

    public IReadOnlyList<AppendedEvent> Ends => [.. Log.Where(e => EventText.KindOf(e.Content) == EventKind.ImportEnded)];

    public ImportScene Mapping(string yaml)
    {
        File.WriteAllText(MappingPath, yaml);
        return this;
    }

    public ImportScene Csv(string name, string content) => Csv(name, Encoding.UTF8.GetBytes(content));

    public ImportScene Csv(string name, byte[] content)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, content);
        return Given(path);
    }

    public ImportScene Given(string path)
    {
        files.Add(path);
        return this;
    }

    public ImportMappingResult Load() => ImportMapping.Load(MappingPath);

    public ImportReport Import(ImportOptions? options = null, IProgress<ImportProgress>? progress = null) =>
        Import(Load().Mapping ?? throw new InvalidOperationException(ImportReportText.Render(Load().Errors)), options, progress);

    public ImportReport Import(ImportMapping mapping, ImportOptions? options = null, IProgress<ImportProgress>? progress = null)
    {
        var import = new CsvImport(mapping, PartitionCount, Append, new StoppedClock(), options);
        // The appending of this scene completes at once, so that nothing is waited for.
        return import.RunAsync(files, progress, CancellationToken.None).GetAwaiter().GetResult();
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private Task Append(AppendBatch batch, CancellationToken cancellation)
    {
        LargestBatch = Math.Max(LargestBatch, batch.Count);
        for (int i = 0; i < batch.Count; i++)
            Log.Add(new AppendedEvent(batch.PartitionOf(i), batch.StreamOf(i), batch.DebtorHashOf(i), batch.KnownMsOf(i), batch.IsHistory(i), batch.ContentOf(i).ToArray()));
        return Task.CompletedTask;
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}

/// <summary>Events as text, read back by the domain's own readers.</summary>
internal static class EventText
{
    public static EventKind KindOf(byte[] content) => EventReader.TryRead(content, 1, false, out Event e, out _) ? e.Head.Kind : EventKind.None;

    public static string Of(byte[] content, long knownMs)
    {
        if (!EventReader.TryRead(content, knownMs, history: true, out Event e, out EventError error) || !BodyReader.Check(e, out error))
            return $"INVALID {error}";
        string at = e.Head.EffectiveMs == e.Head.Effective.StartMs ? e.Head.Effective.ToString() : Instant(e.Head.EffectiveMs);
        return $"{e.Head.Kind} {Text(e.Head.Tenant)}/{Text(e.Head.Debtor)} {Text(e.Head.Id)} {at}{Body(e, e.Body)}";
    }

    public static string Instant(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'");

    private static string Body(in Event e, ReadOnlySpan<byte> body)
    {
        EventError error = default;
        switch (e.Head.Kind)
        {
            case EventKind.ItemIssued:
                BodyReader.TryRead(body, out ItemIssued issued, ref error);
                return $" item={Text(issued.Item)} {issued.Component} {issued.AmountMinor} {issued.Currency} due={issued.Due} account={Text(issued.Account)}";
            case EventKind.ItemAdjusted:
                BodyReader.TryRead(body, out ItemAdjusted adjusted, ref error);
                return $" item={Text(adjusted.Item)} {adjusted.AmountMinor} {adjusted.Currency}";
            case EventKind.ItemCancelled:
                BodyReader.TryRead(body, out ItemCancelled cancelled, ref error);
                return $" item={Text(cancelled.Item)}";
            case EventKind.DueDateChanged:
                BodyReader.TryRead(body, out DueDateChanged due, ref error);
                return $" item={Text(due.Item)} due={due.Due}";
            case EventKind.PaymentReceived:
                BodyReader.TryRead(body, out PaymentReceived payment, ref error);
                var allocations = new StringBuilder();
                foreach (ExplicitAllocation one in payment.Allocations)
                    allocations.Append($"{Text(one.Item)}:{one.AmountMinor};");
                return $" {payment.AmountMinor} {payment.Currency} [{allocations.ToString().TrimEnd(';')}]";
            case EventKind.PaymentReversed:
                BodyReader.TryRead(body, out PaymentReversed reversed, ref error);
                return $" payment={Text(reversed.Payment)}";
            case EventKind.PaymentFailed:
                BodyReader.TryRead(body, out PaymentFailed failed, ref error);
                return $" {failed.AmountMinor} {failed.Currency}";
            case EventKind.DebtorRegistered:
                BodyReader.TryRead(body, out DebtorRegistered registered, ref error);
                return $" portfolio={Text(registered.Portfolio)} type={Text(registered.CustomerType)} product={Text(registered.Product)} region={Text(registered.Region)} {registered.PreferredChannel}";
            default:
                return ActivityBody(e.Head.Kind, body);
        }
    }

    private static string ActivityBody(EventKind kind, ReadOnlySpan<byte> body)
    {
        EventError error = default;
        switch (kind)
        {
            case EventKind.AttemptReported:
                BodyReader.TryRead(body, out AttemptReported attempt, ref error);
                return $" {attempt.Channel} {attempt.Outcome}";
            case EventKind.ContactReceived:
                BodyReader.TryRead(body, out ContactReceived contact, ref error);
                return $" {contact.Channel} {contact.Kind}";
            case EventKind.PromiseMade:
                BodyReader.TryRead(body, out PromiseMade promise, ref error);
                return $" {promise.AmountMinor} {promise.Currency} due={promise.Due}";
            case EventKind.PromiseCancelled:
                BodyReader.TryRead(body, out PromiseCancelled cancelled, ref error);
                return $" promise={Text(cancelled.Promise)}";
            case EventKind.DisputeOpened:
                BodyReader.TryRead(body, out DisputeOpened dispute, ref error);
                return $" item={Text(dispute.Item)} {dispute.AmountMinor}";
            case EventKind.DisputeResolved:
                BodyReader.TryRead(body, out DisputeResolved resolved, ref error);
                return $" dispute={Text(resolved.Dispute)}";
            case EventKind.PreferencesChanged:
                BodyReader.TryRead(body, out PreferencesChanged preferences, ref error);
                return $" zone={Text(preferences.TimeZone)} language={Text(preferences.Language)} {preferences.Channel}";
            case EventKind.HoldPlaced:
                BodyReader.TryRead(body, out HoldPlaced hold, ref error);
                return $" until={hold.Until}";
            case EventKind.HoldReleased:
                BodyReader.TryRead(body, out HoldReleased released, ref error);
                return $" hold={Text(released.Hold)}";
            default:
                return "";
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
