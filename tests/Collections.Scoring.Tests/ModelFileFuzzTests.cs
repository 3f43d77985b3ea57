using System.Globalization;
using System.Text;
using Xunit;
using Xunit.Abstractions;

namespace Collections.Scoring.Tests;

/// <summary>
/// Real model files, damaged from fixed seeds. Each is refused with a reason, or accepted; then every way of scoring it agrees bit for
/// bit on random rows. Neither takes memory beyond what the size of the file explains. <c>eng/test --soak</c> tries many more.
/// </summary>
public sealed class ModelFileFuzzTests(ITestOutputHelper output)
{
    private const int RowCount = 24;
    private const int TreesKept = 4;
    private const int FileCharsMax = 80_000;

    /// <summary>Cases a kind of damage; 22 kinds × 300 cases take about three seconds.</summary>
    private static readonly int Cases = Environment.GetEnvironmentVariable("COLLECTIONS_SOAK") == "1" ? 20_000 : 300;

    private static readonly string[] Files = [.. Sources().Select(static text => FirstTrees(text, TreesKept)).Where(static text => text.Length < FileCharsMax)];

    public static TheoryData<string> Kinds => [.. ModelMutation.All.Select(static mutation => mutation.Name)];

    [Fact]
    public void What_is_damaged_is_read_before()
    {
        foreach (string text in Files)
        {
            ModelReadResult result = LightGbmModelReader.Read(text);
            Assert.True(result.IsRead, result.Error?.ToString());
            Score(result.Model, 1, text.Length);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_damaged_file_is_refused_or_scored_alike_on_every_path(string kind)
    {
        ModelMutation mutation = ModelMutation.All.Single(mutation => mutation.Name == kind);
        int accepted = 0;
        int changed = 0;
        for (int seed = 0; seed < Cases; seed++)
        {
            Random random = new(seed);
            string original = Files[random.Next(Files.Length)];
            string text = mutation.Apply(random, original);
            if (text == original) continue;
            changed++;
            if (!mutation.LeavesNoModel && random.Next(3) == 0) text = ModelMutation.All[random.Next(ModelMutation.All.Length)].Apply(random, text + "\n");
            LightGbmModel? model = Read(text, seed);
            if (model is null) continue;
            accepted++;
            Assert.False(mutation.LeavesNoModel, $"Seed {seed}: a file with {kind} was accepted.");
            Score(model, seed, text.Length);
        }

        Assert.NotEqual(0, changed);
        output.WriteLine($"{kind}: {changed} files, {accepted} accepted");
    }

    [Fact]
    public void A_chain_of_a_hundred_thousand_nodes_is_read_and_scored()
    {
        const int Nodes = 100_000;
        string text = OneTree(Nodes, static node => node + 1, static node => ~(node + 1));
        LightGbmModel? model = Read(text, 0);
        Assert.NotNull(model);
        Score(model, 0, text.Length);
    }

    [Fact]
    public void A_ring_of_a_hundred_thousand_nodes_is_refused()
    {
        const int Nodes = 100_000;
        Assert.Null(Read(OneTree(Nodes, static node => node == Nodes - 1 ? 0 : node + 1, static node => ~(node + 1)), 0));
    }

    [Theory]
    [InlineData("leaf_value=")]
    [InlineData("feature_names=")]
    [InlineData("version=")]
    [InlineData("unknown_key=")]
    [InlineData("")]
    public void A_gigantic_line_is_refused_without_a_copy_of_it(string key)
    {
        const int Chars = 6_000_000;
        string line = key + string.Concat(Enumerable.Repeat("1 ", Chars / 2));
        string[] texts = [line, "tree\n" + line + "\nTree=0\n", OneTree(2, static node => node == 0 ? 1 : ~1, static node => node == 0 ? ~0 : ~2).Replace("leaf_value=", line + "\nleaf_value=", StringComparison.Ordinal)];
        foreach (string text in texts)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.False(LightGbmModelReader.Read(text).IsRead);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Chars / 30);
        }
    }

    [Fact]
    public void A_great_many_tiny_trees_beside_a_large_one_take_no_absurd_memory()
    {
        StringBuilder text = new(SyntheticModel.Write(1, new SyntheticShape(Trees: 1, Leaves: 128, Features: 2)).Replace("end of trees\n", "", StringComparison.Ordinal));
        for (int i = 1; i < 30_000; i++) text.Append(CultureInfo.InvariantCulture, $"Tree={i}\nnum_leaves=1\nnum_cat=0\nleaf_value=0.5\n\n");
        string model = text.Append("end of trees\n").ToString();
        LightGbmModel? read = Read(model, 0);
        Assert.NotNull(read);
        Score(read, 0, model.Length);
    }

    private static LightGbmModel? Read(string text, int seed)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        ModelReadResult result = LightGbmModelReader.Read(text);
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(bytes < 200_000 + (40L * text.Length), $"Seed {seed}: reading {text.Length} characters took {bytes} bytes.");
        Assert.True(result.Model is null != result.Error is null);
        if (result.IsRead) return result.Model;
        Assert.NotEmpty(result.Error.Key);
        Assert.EndsWith(".", result.Error.Message, StringComparison.Ordinal);
        Assert.InRange(result.Error.Message.Length, 20, 1000);
        return null;
    }

    private static void Score(LightGbmModel model, int seed, int textLength)
    {
        double[] rows = SyntheticModel.Rows(seed, model, RowCount);
        Ensemble plain = Ensemble.Compile(model, ScoringPaths.Plain);
        double[] expected = Raw(plain, rows);
        foreach (ScoringPaths paths in EnsembleTests.Paths)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Ensemble ensemble = Ensemble.Compile(model, paths);
            long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(bytes < 24_000_000 + (200L * textLength), $"Seed {seed}: compiling {textLength} characters took {bytes} bytes.");
            Same(expected, Raw(ensemble, rows), paths, seed);
            double[] one = new double[ensemble.OutputCount];
            ensemble.PredictRaw(rows, 1, one);
            Same(expected[..ensemble.OutputCount], one, paths, seed);
        }

        int[] leaves = new int[RowCount * plain.TreeCount];
        plain.PredictLeaves(rows, RowCount, leaves);
        for (int i = 0; i < leaves.Length; i++) Assert.InRange(leaves[i], 0, model.Trees[i % plain.TreeCount].LeafCount - 1);
        plain.Transform(expected, RowCount, expected);
    }

    private static double[] Raw(Ensemble ensemble, double[] rows)
    {
        double[] raw = new double[RowCount * ensemble.OutputCount];
        ensemble.PredictRaw(rows, RowCount, raw);
        return raw;
    }

    private static void Same(double[] expected, double[] actual, ScoringPaths paths, int seed)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(BitConverter.DoubleToInt64Bits(expected[i]) == BitConverter.DoubleToInt64Bits(actual[i]), $"Seed {seed}, {paths}: score {i} is {actual[i]:R}, not {expected[i]:R}.");
        }
    }

    /// <summary>The shipped model, the reference models where they are, and synthetic ones.</summary>
    private static IEnumerable<string> Sources()
    {
        yield return ShippedModel();
        foreach (SyntheticShape shape in EnsembleTests.Shapes) yield return SyntheticModel.Write(1, shape with { Trees = shape.Outputs * 2, Outputs = shape.Outputs });
        if (SharedData.Models is null) yield break;
        foreach (string directory in Directory.GetDirectories(Path.Combine(SharedData.Models, "vectors")).Order(StringComparer.Ordinal))
        {
            yield return File.ReadAllText(Path.Combine(directory, "model.txt"));
        }
    }

    private static string ShippedModel()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string path = Path.Combine(at.FullName, "models", "propensity", "model.txt");
            if (File.Exists(path)) return File.ReadAllText(path);
        }

        throw new FileNotFoundException("models/propensity/model.txt is in no folder above the tests; run them inside the clone.");
    }

    /// <summary>The file with its first iterations only, so that thousands of mutants can be read; tree_sizes may be left out.</summary>
    private static string FirstTrees(string text, int trees)
    {
        text = text.Replace("\r", "", StringComparison.Ordinal);
        ModelReadResult whole = LightGbmModelReader.Read(text);
        Assert.True(whole.IsRead, whole.Error?.ToString());
        int kept = (trees + whole.Model.OutputCount - 1) / whole.Model.OutputCount * whole.Model.OutputCount;
        int end = text.IndexOf($"Tree={kept}\n", StringComparison.Ordinal);
        if (end >= 0) text = text[..end] + "end of trees\n";
        return string.Join('\n', text.Split('\n').Where(static line => !line.StartsWith("tree_sizes=", StringComparison.Ordinal)));
    }

    private static string OneTree(int nodes, Func<int, int> left, Func<int, int> right)
    {
        IEnumerable<int> all = Enumerable.Range(0, nodes);
        StringBuilder text = new("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\nfeature_names=f\n\nTree=0\n");
        text.Append(CultureInfo.InvariantCulture, $"num_leaves={nodes + 1}\nnum_cat=0\nsplit_feature=").AppendJoin(' ', all.Select(static _ => 0));
        text.Append("\nthreshold=").AppendJoin(' ', all.Select(static node => -node % 50_000)).Append("\ndecision_type=").AppendJoin(' ', all.Select(static _ => 2));
        text.Append("\nleft_child=").AppendJoin(' ', all.Select(node => left(node) == nodes ? ~0 : left(node))).Append("\nright_child=").AppendJoin(' ', all.Select(right));
        text.Append("\nleaf_value=").AppendJoin(' ', Enumerable.Range(0, nodes + 1)).Append("\nshrinkage=1\n\n\nend of trees\n");
        return text.ToString();
    }
}
