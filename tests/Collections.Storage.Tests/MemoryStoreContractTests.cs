using Collections.Engine.Stores;
using Collections.Simulation.Fakes;

namespace Collections.Storage.Tests;

/// <summary>The simulator believes its fake: it has to keep the contract too.</summary>
public sealed class MemoryStoreContractTests : StoreContract
{
    private readonly MemoryStore store = new();

    protected override IStore Open() => store;
}
