using System.Globalization;
using Collections.Engine.Stores;
using Collections.Storage.Stores;
using Npgsql;
using static Collections.Storage.Postgres.PostgresSessions;

namespace Collections.Storage.Postgres;

/// <summary>The configuration's versions, their documents, and every act that changed it; all nodes share them. Any thread.</summary>
internal sealed class PostgresConfiguration(PostgresSessions sessions, Action<StoreStep, int>? fault)
{
    private const string ReadActs = "SELECT sequence, at_ms, by, kind, act, subject, number, checksum FROM configuration_act";

    public void Commit(ConfigurationAct act, ConfigurationVersion? added, IReadOnlyList<ConfigurationDocument> documents)
    {
        try
        {
            sessions.Transact(
                "a change of the configuration",
                connection =>
                {
                    fault?.Invoke(StoreStep.Configuration, -1);
                    // One change at a time, over all nodes; who only reads does not wait.
                    Execute(connection, "LOCK TABLE configuration_act IN EXCLUSIVE MODE");
                    Follow(act.Sequence, Scalar<long>(connection, "SELECT coalesce(max(sequence), 0) FROM configuration_act"), "change");
                    if (added is not null)
                        Add(connection, added, documents);
                    Execute(
                        connection, "INSERT INTO configuration_act VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", act.Sequence, act.AtMs, TextForm.Write(act.By), (short)act.Kind,
                        (short)act.Act, TextForm.Write(act.Subject), act.Number, RowChecksums.OfAct(act));
                    fault?.Invoke(StoreStep.CommitConfiguration, -1);
                    return true;
                },
                () => fault?.Invoke(StoreStep.ConfigurationCommitted, -1));
        }
        catch (CommitInDoubtException lost)
        {
            // Acts are numbered and never change: if this one is there as it was said, it was committed.
            if (!LoadActs().Contains(act))
                throw PostgresFailures.Translate(sessions.Settings.ToString(), "a change of the configuration", lost.InnerException!);
        }
    }

    public IReadOnlyList<ConfigurationVersion> LoadVersions() => sessions.Read("reading the configuration", static connection =>
    {
        var found = new List<ConfigurationVersion>();
        using NpgsqlCommand command = Command(connection, "SELECT number, kind, name, version FROM configuration_version ORDER BY number");
        using NpgsqlDataReader row = command.ExecuteReader();
        while (row.Read())
            found.Add(new ConfigurationVersion(row.GetInt32(0), (ConfigurationKind)row.GetInt16(1), TextForm.Read(row.GetString(2)), TextForm.Read(row.GetString(3))));
        return found;
    });

    public IReadOnlyList<ConfigurationAct> LoadActs() => sessions.Read("reading the configuration", connection =>
    {
        var found = new List<ConfigurationAct>();
        using NpgsqlCommand command = Command(connection, $"{ReadActs} ORDER BY sequence");
        using NpgsqlDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            var act = new ConfigurationAct(
                row.GetInt64(0), row.GetInt64(1), TextForm.Read(row.GetString(2)), (ConfigurationKind)row.GetInt16(3), (ConfigurationActKind)row.GetInt16(4),
                TextForm.Read(row.GetString(5)), row.GetInt32(6));
            Trust(act.Sequence == found.Count + 1 && row.GetInt64(7) == RowChecksums.OfAct(act), Text($"change {found.Count + 1} of the configuration is missing or doesn't match its checksum"));
            found.Add(act);
        }
        return found;
    });

    public byte[]? LoadDocument(int number, string name) => sessions.Read("reading the configuration", connection =>
    {
        using NpgsqlCommand command = Command(connection, "SELECT content, checksum FROM configuration_document WHERE number = $1 AND name = $2", number, TextForm.Write(name));
        using NpgsqlDataReader row = command.ExecuteReader();
        if (!row.Read())
            return null;
        byte[] content = row.GetFieldValue<byte[]>(0);
        Trust(row.GetInt64(1) == RowChecksums.OfDocument(number, name, content), Text($"document '{name}' of version {number} doesn't match its checksum"));
        return content;
    });

    private static void Add(NpgsqlConnection connection, ConfigurationVersion added, IReadOnlyList<ConfigurationDocument> documents)
    {
        Follow(added.Number, Scalar<int>(connection, "SELECT coalesce(max(number), 0) FROM configuration_version"), "version");
        Execute(
            connection, "INSERT INTO configuration_version VALUES ($1, $2, $3, $4)", added.Number, (short)added.Kind, TextForm.Write(added.Name), TextForm.Write(added.Version));
        foreach (ConfigurationDocument document in documents)
        {
            Execute(
                connection, "INSERT INTO configuration_document VALUES ($1, $2, $3, $4)", added.Number, TextForm.Write(document.Name), document.Content,
                RowChecksums.OfDocument(added.Number, document.Name, document.Content));
        }
    }

    private static void Follow(long number, long last, string what)
    {
        if (number != last + 1)
            throw new StoreFencedException(Text($"{what} {number} of the configuration does not follow {last}: somebody else has changed it meanwhile; load it again"));
    }

    private void Trust(bool holds, string what)
    {
        if (!holds)
            throw new StoreCorruptException($"{sessions.Settings}: {what}. Stop, and restore the database from a backup: the configuration says which models are active, and which model made a score.");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
