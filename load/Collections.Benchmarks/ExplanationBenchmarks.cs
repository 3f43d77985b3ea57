using BenchmarkDotNet.Attributes;
using Collections.Scoring;
using Collections.Scoring.Explanation;

namespace Collections.Benchmarks;

/// <summary>
/// Contributions to the shipped model's score, 200 trees of 63 leaves over 33 features, on one thread. One operation is one batch; divide by rows
/// for the time a row. 100 rows are what a pull of 100 actions explains.
/// </summary>
[MemoryDiagnoser]
public class ExplanationBenchmarks
{
    private Explainer explainer = null!;
    private ExplainerScratch scratch = null!;
    private double[] rows = [];
    private double[] contributions = [];

    [Params(1, 8, 100, 512)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        explainer = Explainer.TryCompile(ShippedModelText.Model(), out string reason) ?? throw new InvalidOperationException(reason);
        scratch = explainer.NewScratch();
        rows = new double[Rows * explainer.FeatureCount];
        contributions = new double[Rows * explainer.ContributionCount];
        var random = new Random(7);
        for (int i = 0; i < rows.Length; i++)
            rows[i] = random.Next(10) == 0 ? double.NaN : Math.Round(Math.Exp(random.NextDouble() * 9), random.Next(3));
    }

    [Benchmark]
    public double Contributions()
    {
        explainer.Explain(rows, Rows, contributions, scratch);
        return contributions[0];
    }
}
