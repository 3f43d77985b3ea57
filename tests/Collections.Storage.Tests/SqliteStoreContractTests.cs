using Collections.Engine.Stores;

namespace Collections.Storage.Tests;

public sealed class SqliteStoreContractTests : StoreContract
{
    private readonly Scratch scratch = new();

    protected override IStore Open() => new SqliteStore(scratch.Directory);

    public override void Dispose()
    {
        base.Dispose();
        scratch.Dispose();
    }
}
