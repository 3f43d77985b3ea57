using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Collections.Storage.Tests;

/// <summary>
/// A PostgreSQL server of the tests' own: a fresh cluster in a temporary directory, on a free loopback port, durable as a real one. It is gone when it is
/// disposed of, and also when the process of the tests dies.
/// </summary>
public sealed class PostgresCluster : IDisposable
{
    public const string Missing = "the server programs of PostgreSQL are not installed (Debian's postgresql-15)";

    /// <summary>initdb and its kin refuse to run as root; this is the user whom Debian's package makes.</summary>
    private const string User = "postgres";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static int schemas;

    private readonly string directory = Directory.CreateTempSubdirectory("collections-postgres-").FullName;
    private readonly Process guard;
    private bool isRunning;

    public PostgresCluster()
    {
        string bin = Bin ?? throw new InvalidOperationException(Missing);
        if (Environment.IsPrivilegedProcess)
            Require(Run("chown", [User, directory]));
        Require(Shell($"'{bin}/initdb' --no-sync --auth=trust --username=collections --encoding=UTF8 --locale=C -D '{Data}'"));
        // It waits for the end of its input, which comes when this process lets go of it or dies.
        guard = Start("bash", ["-c", $"cat >/dev/null; '{bin}/pg_ctl' stop -m immediate -D '{Data}' >/dev/null 2>&1; rm -rf '{Data}'"]);
        StartServer();
    }

    /// <summary>Where the server's programs are; null if they are not installed.</summary>
    public static string? Bin { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(static version => Path.Combine(version, "bin")).Order(StringComparer.Ordinal).LastOrDefault(static bin => File.Exists(Path.Combine(bin, "initdb")))
        : null;

    public int Port { get; private set; }

    private string Data => Path.Combine(directory, "data");

    private string Log => Path.Combine(Data, "server.log");

    /// <summary>The connection to a schema that no other test has.</summary>
    public string NewSchema() => ConnectionTo($"test_{Interlocked.Increment(ref schemas).ToString(CultureInfo.InvariantCulture)}");

    public string ConnectionTo(string schema) =>
        string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username=collections;Database=postgres;Search Path={schema}");

    public void StartServer()
    {
        if (isRunning)
            return;
        for (int attempt = 0; ; attempt++)
        {
            if (Port == 0)
                Port = FreePort();
            string settings = string.Create(CultureInfo.InvariantCulture, $"-c listen_addresses=127.0.0.1 -c port={Port} -c unix_socket_directories= -c fsync=on -c max_connections=60");
            string said = Shell($"'{Bin}/pg_ctl' start -w -t 60 -D '{Data}' -l '{Log}' -o '{settings}' >/dev/null 2>&1 || cat '{Log}'").Said;
            if (said.Length == 0)
                break;
            // Somebody else took the port in between.
            if (attempt == 4 || !said.Contains("in use", StringComparison.Ordinal))
                throw new InvalidOperationException($"the test's PostgreSQL does not start: {said}");
            Port = 0;
        }
        isRunning = true;
    }

    /// <param name="mode">fast ends every session; immediate is a crash, after which the journal is read again.</param>
    public void StopServer(string mode)
    {
        Require(Shell($"'{Bin}/pg_ctl' stop -w -m {mode} -D '{Data}'"));
        isRunning = false;
    }

    public void Dispose()
    {
        guard.StandardInput.Close();
        if (!guard.WaitForExit(Patience))
            guard.Kill();
        guard.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static (int Code, string Said) Shell(string command) => Run("bash", ["-c", command]);

    private static (int Code, string Said) Run(string program, string[] arguments)
    {
        using Process process = Start(program, arguments);
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string said = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        Assert.True(process.WaitForExit(Patience), $"{program} does not end");
        return (process.ExitCode, said);
    }

    private static void Require((int Code, string Said) result) => Assert.True(result.Code == 0, result.Said);

    private static Process Start(string program, string[] arguments)
    {
        bool asOther = Environment.IsPrivilegedProcess && program == "bash";
        string[] all = asOther ? [$"--reuid={User}", $"--regid={User}", "--init-groups", program, .. arguments] : arguments;
        return Process.Start(new ProcessStartInfo(asOther ? "setpriv" : program, all)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = Path.GetTempPath(),
        })!;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Tests that share one server, one after another: some of them stop it.</summary>
[CollectionDefinition(Name)]
public sealed class PostgresServer : ICollectionFixture<SharedCluster>
{
    public const string Name = "PostgreSQL server";
}

/// <summary>The server of the collection, started by the first test that needs it.</summary>
public sealed class SharedCluster : IDisposable
{
    private readonly Lazy<PostgresCluster> cluster = new(static () => new PostgresCluster());

    public PostgresCluster Server => cluster.Value;

    public void Dispose()
    {
        if (cluster.IsValueCreated)
            cluster.Value.Dispose();
    }
}

/// <summary>A test on a real server; it says why it is skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute()
    {
        if (PostgresCluster.Bin is null)
            Skip = PostgresCluster.Missing;
    }
}

/// <inheritdoc cref="PostgresFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresTheoryAttribute : TheoryAttribute
{
    public PostgresTheoryAttribute()
    {
        if (PostgresCluster.Bin is null)
            Skip = PostgresCluster.Missing;
    }
}
