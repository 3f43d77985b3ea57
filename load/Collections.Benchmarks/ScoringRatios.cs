using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Collections.Scoring;

namespace Collections.Benchmarks;

/// <summary>
/// The compiled ensemble against its peers on one thread: a plain walk and, where <c>LIGHTGBM_LIBRARY</c> names it, LightGBM's own C API.
/// All score the same rows, their scores are held equal first, and they take turns round by round, in processor time, so that a busy
/// machine slows all of them alike. Printed are the least and the median time of a tree a row, and the median of the rounds' ratios.
/// </summary>
internal static unsafe class ScoringRatios
{
    private const int RowCount = 512;
    private const int RoundsMin = 3;
    private static readonly int[] Batches = [1, 8, 64, 512];

    private sealed record Peer(string Name, Action<int> Score);

    /// <param name="rounds">Rounds of each comparison; more give steadier medians.</param>
    public static int Run(int rounds)
    {
        rounds = Math.Max(RoundsMin, rounds);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Processor()}, {Environment.ProcessorCount} cores, one of them used; {RuntimeInformation.FrameworkDescription}; {rounds} rounds\n"));
        Console.WriteLine("| model | batch | compiled, ns a tree a row: min, median | peer | its min, median | peer ÷ compiled |");
        Console.WriteLine("|---|---|---|---|---|---|");
        Compare("small, 20 × 15", SyntheticModelText.Write(20, 15, seed: 1), rounds);
        Compare("shipped, 200 × 63", ShippedModelText.Read(), rounds);
        Compare("large, 1,000 × 127", SyntheticModelText.Write(1000, 127, seed: 2), rounds);
        return 0;
    }

    private static string Processor()
    {
        const string Key = "model name";
        string? line = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(static line => line.StartsWith(Key, StringComparison.Ordinal)) : null;
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    private static void Compare(string name, string text, int rounds)
    {
        LightGbmModel model = LightGbmModelReader.Read(text).Model ?? throw new InvalidDataException($"the model '{name}' can't be read");
        Ensemble ensemble = Ensemble.Compile(model);
        using LightGbmLibrary? library = LightGbmLibrary.TryLoad(text, ensemble.FeatureCount);
        double[] rows = ModelRows.Draw(model, RowCount, seed: 3);
        var raw = new double[RowCount];
        int width = ensemble.FeatureCount;
        Peer compiled = new("compiled", batch =>
        {
            for (int row = 0; row < RowCount; row += batch)
                ensemble.PredictRaw(rows.AsSpan(row * width, batch * width), batch, raw.AsSpan(row, batch));
        });
        Peer plain = new("plain walk", batch =>
        {
            for (int row = 0; row < RowCount; row += batch)
                PlainWalk.Score(model, rows.AsSpan(row * width, batch * width), batch, raw.AsSpan(row, batch));
        });
        foreach (int batch in Batches)
        {
            List<Peer> peers = [compiled, plain];
            if (library is not null)
                peers.AddRange(Library(library, rows, raw, width, batch));
            RequireEqual(peers, batch, raw);
            Print(name, batch, peers, Measure(peers, batch, rounds, (double)RowCount * ensemble.TreeCount));
        }
    }

    private static Peer[] Library(LightGbmLibrary library, double[] rows, double[] raw, int width, int batch)
    {
        Peer whole = new("LightGBM batch", batch => EachBatch(library, rows, raw, width, batch));
        return batch > 1 ? [whole] :
        [
            new Peer("LightGBM single row", _ => EachRow(library.SingleRow, rows, raw, width)),
            new Peer("LightGBM single row, fast", _ => EachRow(library.SingleRowFast, rows, raw, width)),
            whole,
        ];
    }

    private delegate void ScoreRow(double* row, double* raw);

    private static void EachRow(ScoreRow score, double[] rows, double[] raw, int width)
    {
        fixed (double* from = rows, to = raw)
        {
            for (int row = 0; row < RowCount; row++)
                score(from + row * width, to + row);
        }
    }

    private static void EachBatch(LightGbmLibrary library, double[] rows, double[] raw, int width, int batch)
    {
        fixed (double* from = rows, to = raw)
        {
            for (int row = 0; row < RowCount; row += batch)
                library.Batch(from + row * width, batch, to + row);
        }
    }

    private static void RequireEqual(List<Peer> peers, int batch, double[] raw)
    {
        peers[0].Score(batch);
        double[] expected = [.. raw];
        foreach (Peer peer in peers)
        {
            Array.Clear(raw);
            peer.Score(batch);
            for (int row = 0; row < RowCount; row++)
            {
                if (BitConverter.DoubleToInt64Bits(raw[row]) != BitConverter.DoubleToInt64Bits(expected[row]))
                    throw new InvalidDataException($"{peer.Name} gives {raw[row]:R} for row {row}, the compiled ensemble {expected[row]:R}");
            }
        }
    }

    /// <summary>Nanoseconds a tree a row, by peer and round. What is quick is repeated within a round, so that the clock's grain does not show.</summary>
    private static double[][] Measure(List<Peer> peers, int batch, int rounds, double treeRows)
    {
        int[] repeats = [.. peers.Select(peer => Repeats(peer, batch))];
        double[][] times = [.. peers.Select(_ => new double[rounds])];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < peers.Count; i++)
            {
                TimeSpan start = Environment.CpuUsage.TotalTime;
                for (int repeat = 0; repeat < repeats[i]; repeat++)
                    peers[i].Score(batch);
                times[i][round] = (Environment.CpuUsage.TotalTime - start).TotalNanoseconds / repeats[i] / treeRows;
            }
        }
        return times;
    }

    private static int Repeats(Peer peer, int batch)
    {
        const double RoundMs = 4;
        Warm(peer, batch, ms: 300);
        return Math.Max(1, Warm(peer, batch, 5 * RoundMs) / 5);
    }

    /// <summary>Long enough for the just-in-time compiler to have seen what is hot; returns how often it ran.</summary>
    private static int Warm(Peer peer, int batch, double ms)
    {
        int repeats = 0;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalMilliseconds < ms; repeats++)
            peer.Score(batch);
        return repeats;
    }

    private static void Print(string model, int batch, List<Peer> peers, double[][] times)
    {
        for (int i = 1; i < peers.Count; i++)
        {
            double[] ratios = [.. times[i].Zip(times[0], static (peer, own) => peer / own)];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {model} | {batch} | {times[0].Min():0.0}, {Median(times[0]):0.0} | {peers[i].Name} | {times[i].Min():0.0}, {Median(times[i]):0.0} | {Median(ratios):0.0} |"));
        }
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
