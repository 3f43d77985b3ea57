using System.Globalization;
using Collections.Domain.Events;
using Collections.Engine.Logs;

namespace Collections.Storage.Tests;

/// <summary>The process that the kill test starts: appends until it is killed, and prints each event that was acknowledged.</summary>
public static class AppendingProcess
{
    public const int Partitions = 4;
    private const int Callers = 6;

    /// <param name="args">The directory, and the number from which contents count.</param>
    public static async Task Main(string[] args)
    {
        long number = long.Parse(args[1], CultureInfo.InvariantCulture);
        using var log = new SqliteEventLog(args[0], new SqliteLogOptions(Partitions), TimeProvider.System);
        TextWriter output = TextWriter.Synchronized(Console.Out);
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => AppendForeverAsync(caller)));

        async Task AppendForeverAsync(int caller)
        {
            var batch = new AppendBatch();
            while (true)
            {
                batch.Clear();
                long first = Interlocked.Add(ref number, 1 + caller) - caller - 1;
                for (long i = first; i < first + 1 + caller; i++)
                    batch.Add((int)(i % Partitions), (EventStream)(i % 3), (ulong)(i % 50), i, history: false, LogSamples.ContentOf(i));
                await log.AppendAsync(batch);
                for (int i = 0; i < batch.Count; i++)
                    await output.WriteLineAsync($"{batch.PartitionOf(i)} {(int)batch.StreamOf(i)} {batch.OffsetOf(i)} {first + i}");
            }
        }
    }
}
