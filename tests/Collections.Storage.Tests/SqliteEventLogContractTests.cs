using Collections.Engine.Logs;

namespace Collections.Storage.Tests;

public sealed class SqliteEventLogContractTests : EventLogContract
{
    private readonly Scratch scratch = new();

    protected override IEventLog Open() => new SqliteEventLog(scratch.Directory, new SqliteLogOptions(Partitions), Clock);

    public override void Dispose()
    {
        base.Dispose();
        scratch.Dispose();
    }
}
