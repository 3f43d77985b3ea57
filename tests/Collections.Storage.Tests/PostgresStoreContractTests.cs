using Collections.Engine.Stores;
using Collections.Storage.Postgres;

namespace Collections.Storage.Tests;

[Collection(PostgresServer.Name)]
public sealed class PostgresStoreContractTests(SharedCluster cluster) : StoreContract
{
    private PostgresSettings? settings;

    protected override IStore Open() => new PostgresStore(settings ??= PostgresSettings.Parse(cluster.Server.NewSchema()));
}
