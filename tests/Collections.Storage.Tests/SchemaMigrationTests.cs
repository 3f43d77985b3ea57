using Collections.Engine.Stores;
using Collections.Storage.Postgres;
using Npgsql;

namespace Collections.Storage.Tests;

/// <summary>How a schema comes to be what the program needs, and which are refused.</summary>
[Collection(PostgresServer.Name)]
public sealed class SchemaMigrationTests(SharedCluster cluster)
{
    [PostgresFact]
    public async Task Nodes_that_start_at_once_migrate_once()
    {
        PostgresSettings settings = PostgresSettings.Parse(cluster.Server.NewSchema());
        SchemaStanding[] standings = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => PostgresStore.Migrate(settings))));
        Assert.Single(standings, standing => standing.Applied.Count > 0);
        Assert.All(standings, standing => Assert.Equal(SchemaMigrations.Embedded().Count, standing.Version));
        Assert.All(standings, standing => Assert.Empty(standing.Missing));
    }

    [PostgresFact]
    public void A_step_that_fails_leaves_nothing_and_the_next_start_does_it()
    {
        PostgresSettings settings = PostgresSettings.Parse(cluster.Server.NewSchema());
        SchemaMigration[] steps = [new(1, "0001-good", "CREATE TABLE good (a integer)"), new(2, "0002-bad", "CREATE TABLE bad (a no_such_type)")];
        using (NpgsqlConnection connection = Connect(settings))
            Assert.Throws<PostgresException>(() => new SchemaMigrations(settings, steps).Apply(connection));
        using (NpgsqlConnection connection = Connect(settings))
        {
            Assert.Equal(0, new SchemaMigrations(settings, steps).Check(connection).Version);
            steps[1] = new(2, "0002-bad", "ALTER TABLE good ADD COLUMN b integer");
            Assert.Equal(["0001-good"], new SchemaMigrations(settings, steps[..1]).Apply(connection).Applied);
            Assert.Equal(["0002-bad"], new SchemaMigrations(settings, steps).Check(connection).Missing);
            Assert.Equal(["0002-bad"], new SchemaMigrations(settings, steps).Apply(connection).Applied);
            Assert.Empty(new SchemaMigrations(settings, steps).Apply(connection).Applied);
        }
    }

    [PostgresFact]
    public void A_schema_of_a_newer_program_is_refused()
    {
        PostgresScene scene = Migrated();
        scene.Sql("INSERT INTO schema_migration VALUES (99, '0099-later', 'x')");
        StorageRefusedException e = Assert.Throws<StorageRefusedException>(() => scene.Open());
        Assert.Contains("version 99", e.Message, StringComparison.Ordinal);
        Assert.Contains("newer", e.Message, StringComparison.Ordinal);
    }

    [PostgresTheory]
    [InlineData("UPDATE schema_migration SET checksum = repeat('0', 64)")]
    [InlineData("UPDATE schema_migration SET name = '0001-other'")]
    public void A_schema_whose_record_was_altered_is_refused(string sql)
    {
        PostgresScene scene = Migrated();
        scene.Sql(sql);
        Assert.Contains("altered", Assert.Throws<StorageRefusedException>(() => scene.Open()).Message, StringComparison.Ordinal);
        Assert.Throws<StorageRefusedException>(() => PostgresStore.Check(scene.Settings));
    }

    [PostgresFact]
    public void A_role_that_may_not_create_tables_is_told_who_may_and_serves_afterwards()
    {
        var scene = new PostgresScene(cluster.Server);
        string schema = scene.Settings.Schema, role = $"{schema}_user";
        scene.Sql($"CREATE ROLE {role} LOGIN");
        PostgresSettings restricted = PostgresSettings.Parse(cluster.Server.ConnectionTo(schema).Replace("Username=collections", $"Username={role}", StringComparison.Ordinal));
        Assert.Contains("store migrate", Assert.Throws<StorageRefusedException>(() => PostgresStore.Migrate(restricted)).Message, StringComparison.Ordinal);
        PostgresStore.Migrate(scene.Settings);
        scene.Sql($"GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {role}");
        using var store = new PostgresStore(restricted);
        store.Commit(StoreSamples.Full(0, store.TakeOwnership(0, "me"), 1));
    }

    [PostgresTheory]
    [InlineData("Username=collections", "Username=nobody_of_that_name", "nobody_of_that_name")]
    [InlineData("Database=postgres", "Database=no_such_database", "no_such_database")]
    public void Who_can_t_get_in_is_told_why(string good, string bad, string word)
    {
        PostgresSettings settings = PostgresSettings.Parse(cluster.Server.NewSchema().Replace(good, bad, StringComparison.Ordinal));
        Assert.Contains(word, Assert.Throws<StorageRefusedException>(() => new PostgresStore(settings)).Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public void A_database_that_is_not_of_utf8_is_refused()
    {
        new PostgresScene(cluster.Server).Sql("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0");
        PostgresSettings settings = PostgresSettings.Parse(cluster.Server.NewSchema().Replace("Database=postgres", "Database=ascii", StringComparison.Ordinal));
        Assert.Contains("UTF8", Assert.Throws<StorageRefusedException>(() => new PostgresStore(settings)).Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public void A_role_that_may_not_make_temporary_tables_is_told_so_before_it_serves()
    {
        var scene = new PostgresScene(cluster.Server);
        string role = $"{scene.Settings.Schema}_bare";
        scene.Sql($"CREATE ROLE {role} LOGIN");
        scene.Sql("CREATE DATABASE hardened TEMPLATE template0");
        scene.Sql("REVOKE TEMPORARY ON DATABASE hardened FROM PUBLIC");
        PostgresSettings settings = PostgresSettings.Parse(cluster.Server.NewSchema()
            .Replace("Database=postgres", "Database=hardened", StringComparison.Ordinal).Replace("Username=collections", $"Username={role}", StringComparison.Ordinal));
        Assert.Contains($"GRANT TEMPORARY ON DATABASE hardened TO {role}", Assert.Throws<StorageRefusedException>(() => new PostgresStore(settings)).Message, StringComparison.Ordinal);
        Assert.Contains("GRANT TEMPORARY", Assert.Throws<StorageRefusedException>(() => PostgresStore.Check(settings)).Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public void Checking_changes_nothing_and_says_what_is_missing()
    {
        PostgresSettings settings = PostgresSettings.Parse(cluster.Server.NewSchema());
        SchemaStanding before = PostgresStore.Check(settings);
        Assert.Equal((0, SchemaMigrations.Embedded().Count), (before.Version, before.Missing.Count));
        Assert.Equal(before.Missing, PostgresStore.Check(settings).Missing);
        PostgresStore.Migrate(settings);
        Assert.Empty(PostgresStore.Check(settings).Missing);
    }

    [PostgresFact]
    public void Tables_that_were_dropped_by_hand_are_told_of()
    {
        PostgresScene scene = Migrated();
        using PostgresStore store = scene.Open();
        long epoch = store.TakeOwnership(0, "me");
        scene.Sql("DROP TABLE audit");
        Assert.Contains("audit", Assert.Throws<StoreCorruptException>(() => store.Commit(StoreSamples.Full(0, epoch, 1))).Message, StringComparison.Ordinal);
    }

    /// <summary>Released steps stay as they are for ever: what is recorded in databases is their checksum.</summary>
    [Fact]
    public void The_released_steps_have_not_changed() =>
        Assert.Equal(
            ["0001-store f85c241dd754f07d49f3ef72cd68ad9e23d5ffc6bfa1669797874173b9ede606", "0002-dead-letters 9cf2601bf9dc361b2688b92ca96bb3afc0cd0170e3a4a1db2b1d38ed8e5a5198",
                "0003-outbox 6cbea79b0c843a3ecf2ab72264462f23b85d7d1b990415ab7487597f0e805244"],
            SchemaMigrations.Embedded().Select(static step => $"{step.Name} {step.Checksum}"));

    private PostgresScene Migrated()
    {
        var scene = new PostgresScene(cluster.Server);
        PostgresStore.Migrate(scene.Settings);
        return scene;
    }

    private static NpgsqlConnection Connect(PostgresSettings settings)
    {
        var connection = new NpgsqlConnection(settings.Connection.ConnectionString);
        connection.Open();
        return connection;
    }
}
