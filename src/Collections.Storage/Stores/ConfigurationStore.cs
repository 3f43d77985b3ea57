using System.Globalization;
using Collections.Engine.Stores;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Stores;

/// <summary>The configuration's versions, their documents, and every act that changed it. Any thread; its lock admits one at a time.</summary>
internal sealed class ConfigurationStore : IDisposable
{
    private const string Schema = """
        CREATE TABLE version(number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, UNIQUE(kind, name, version));
        CREATE TABLE document(number INTEGER NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY(number, name));
        CREATE TABLE act(sequence INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, by TEXT NOT NULL, kind INTEGER NOT NULL, act INTEGER NOT NULL,
            subject TEXT NOT NULL, number INTEGER NOT NULL, checksum INTEGER NOT NULL)
        """;

    private readonly Lock gate = new();
    private readonly Action<StoreStep, int>? fault;
    private readonly StoreFile file;
    private readonly Statement putVersion;
    private readonly Statement putDocument;
    private readonly Statement putAct;
    private readonly Statement readLastAct;
    private readonly Statement readLastVersion;
    private readonly Statement readVersions;
    private readonly Statement readDocument;
    private readonly Statement readActs;

    public ConfigurationStore(string path, Action<StoreStep, int>? fault)
    {
        this.fault = fault;
        file = new StoreFile(path, Schema, $"Stop, and restore {path} from a copy: it says which models are active, and which model made a score.");
        putVersion = file.Prepare("INSERT INTO version VALUES(?, ?, ?, ?)");
        putDocument = file.Prepare("INSERT INTO document VALUES(?, ?, ?, ?)");
        putAct = file.Prepare("INSERT INTO act VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
        readLastAct = file.Prepare("SELECT sequence FROM act ORDER BY sequence DESC LIMIT 1");
        readLastVersion = file.Prepare("SELECT number FROM version ORDER BY number DESC LIMIT 1");
        readVersions = file.Prepare("SELECT number, kind, name, version FROM version ORDER BY number");
        readDocument = file.Prepare("SELECT content, checksum FROM document WHERE number = ? AND name = ?");
        readActs = file.Prepare("SELECT sequence, at_ms, by, kind, act, subject, number, checksum FROM act ORDER BY sequence");
    }

    public void Commit(ConfigurationAct act, ConfigurationVersion? added, IReadOnlyList<ConfigurationDocument> documents)
    {
        lock (gate)
        {
            file.Write(() =>
            {
                fault?.Invoke(StoreStep.Configuration, -1);
                Follow(act.Sequence, readLastAct, "change");
                if (added is not null)
                {
                    Follow(added.Number, readLastVersion, "version");
                    putVersion.Bind(1, added.Number).Bind(2, (long)added.Kind).Bind(3, added.Name).Bind(4, added.Version).Run();
                    foreach (ConfigurationDocument document in documents)
                        putDocument.Bind(1, added.Number).Bind(2, document.Name).Bind(3, document.Content).Bind(4, RowChecksums.OfDocument(added.Number, document.Name, document.Content)).Run();
                }
                putAct.Bind(1, act.Sequence).Bind(2, act.AtMs).Bind(3, act.By).Bind(4, (long)act.Kind).Bind(5, (long)act.Act).Bind(6, act.Subject).Bind(7, act.Number)
                    .Bind(8, RowChecksums.OfAct(act)).Run();
                fault?.Invoke(StoreStep.CommitConfiguration, -1);
            });
        }
    }

    public IReadOnlyList<ConfigurationVersion> LoadVersions()
    {
        lock (gate)
        {
            return file.Read(() =>
            {
                var found = new List<ConfigurationVersion>();
                while (readVersions.Step())
                    found.Add(new ConfigurationVersion((int)readVersions.Int64(0), (ConfigurationKind)readVersions.Int64(1), readVersions.Text(2), readVersions.Text(3)));
                return found;
            });
        }
    }

    public IReadOnlyList<ConfigurationAct> LoadActs()
    {
        lock (gate)
        {
            return file.Read(() =>
            {
                var found = new List<ConfigurationAct>();
                while (readActs.Step())
                {
                    var act = new ConfigurationAct(
                        readActs.Int64(0), readActs.Int64(1), readActs.Text(2), (ConfigurationKind)readActs.Int64(3), (ConfigurationActKind)readActs.Int64(4),
                        readActs.Text(5), (int)readActs.Int64(6));
                    if (act.Sequence != found.Count + 1 || readActs.Int64(7) != RowChecksums.OfAct(act))
                        file.Trust(false, Text($"change {found.Count + 1} of the configuration is missing or doesn't match its checksum"));
                    found.Add(act);
                }
                return found;
            });
        }
    }

    public byte[]? LoadDocument(int number, string name)
    {
        lock (gate)
        {
            return file.Read(() =>
            {
                if (!readDocument.Bind(1, number).Bind(2, name).Step())
                    return null;
                byte[] content = readDocument.Blob(0).ToArray();
                if (readDocument.Int64(1) != RowChecksums.OfDocument(number, name, content))
                    file.Trust(false, Text($"document '{name}' of version {number} doesn't match its checksum"));
                return content;
            });
        }
    }

    public void Dispose()
    {
        lock (gate)
            file.Dispose();
    }

    private static void Follow(long number, Statement readLast, string what)
    {
        long last = readLast.Step() ? readLast.Int64(0) : 0;
        readLast.Reset();
        if (number != last + 1)
            throw new StoreFencedException(Text($"{what} {number} of the configuration does not follow {last}: somebody else has changed it meanwhile; load it again"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
