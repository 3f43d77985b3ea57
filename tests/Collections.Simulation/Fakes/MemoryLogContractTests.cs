using Collections.Engine.Logs;
using Collections.Storage.Tests;

namespace Collections.Simulation.Fakes;

/// <summary>The fake is held to what every log must do; otherwise what it proves is worth nothing.</summary>
public sealed class MemoryLogContractTests : EventLogContract
{
    private MemoryLog? last;

    protected override IEventLog Open() => last = last?.Reopen() ?? new MemoryLog(Partitions);
}
