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
        rows = new double[Rows * ensemble.FeatureCount];
        raw = new double[Rows];
        var random = new Random(7);
        for (int i = 0; i < rows.Length; i++)
            rows[i] = random.Next(10) == 0 ? double.NaN : Math.Round(Math.Exp(random.NextDouble() * 9), random.Next(3));
    }

    [Benchmark]
    public double Compiled()
    {
        ensemble.PredictRaw(rows, Rows, raw);
        return raw[0];
    }

    [Benchmark(Baseline = true)]
    public double PlainWalk()
    {
        int width = ensemble.FeatureCount;
        for (int row = 0; row < Rows; row++)
        {
            double sum = 0;
            foreach (DecisionTree tree in model.Trees)
                sum += Walk(tree, rows.AsSpan(row * width, width));
            raw[row] = sum;
        }
        return raw[0];
    }

    private static double Walk(DecisionTree tree, ReadOnlySpan<double> row)
    {
        int node = 0;
        while (node >= 0)
        {
            double value = row[tree.SplitFeatures[node]];
            node = GoesLeft(tree, node, value) ? tree.LeftChildren[node] : tree.RightChildren[node];
        }
        return tree.LeafValues[~node];
    }

    private static bool GoesLeft(DecisionTree tree, int node, double value)
    {
        if (tree.IsCategorical(node))
        {
            int category = double.IsNaN(value) || value < 0 || value >= int.MaxValue ? -1 : (int)value;
            ReadOnlySpan<uint> set = tree.CategorySet(node);
            return category >= 0 && category >> 5 < set.Length && (set[category >> 5] >> (category & 31) & 1) != 0;
        }
        if (double.IsNaN(value))
        {
            if (tree.Missing(node) == MissingKind.NaN)
                return tree.DefaultLeft(node);
            value = 0;
        }
        return value <= tree.Thresholds[node];
    }
}
