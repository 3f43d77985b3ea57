using BenchmarkDotNet.Attributes;
using Collections.Scoring;

namespace Collections.Benchmarks;

/// <summary>
/// The shipped model, 200 trees of 63 leaves over 33 features: a batch of rows by the compiled ensemble, against a plain walk over
/// the trees written here. One operation is one batch; divide by rows × trees for the time of a tree a row.
/// </summary>
[MemoryDiagnoser]
public class ScoringBenchmarks
{
    private readonly LightGbmModel model = ShippedModelText.Model();
    private Ensemble ensemble = null!;
    private double[] rows = [];
    private double[] raw = [];

    [Params(1, 8, 64, 512)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        ensemble = Ensemble.Compile(model);
        rows = ModelRows.Draw(model, Rows, seed: 7);
        raw = new double[Rows];
    }

    [Benchmark]
    public double Compiled()
    {
        ensemble.PredictRaw(rows, Rows, raw);
        return raw[0];
    }

    [Benchmark(Baseline = true)]
    public double Plain()
    {
        PlainWalk.Score(model, rows, Rows, raw);
        return raw[0];
    }
}
