using Collections.Scoring.Explanation;
using Xunit;

namespace Collections.Scoring.Tests;

/// <summary>Damaged files from fixed seeds: each is read or refused, and what is read can be scored.</summary>
public sealed class FuzzTests
{
    private const int MutantsPerSeed = 400;

    private static readonly string[] Poison =
    [
        "", "nan", "-nan", "inf", "-1", "0", "1", "2147483647", "-2147483648", "4294967295", "99999999999999999999", "1e308", "1e-320", "x", "=", "Tree=0", "0x10", "\u0000",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void A_damaged_file_is_read_or_refused_but_never_crashes(int seed)
    {
        Random random = new(seed);
        SyntheticShape[] shapes = EnsembleTests.Shapes;
        int refused = 0;
        int explained = 0;
        for (int i = 0; i < MutantsPerSeed; i++)
        {
            SyntheticShape shape = shapes[random.Next(shapes.Length)] with { Trees = 2, Outputs = 1, Leaves = random.Next(1, 30), ThresholdsPerFeature = 8, Counted = i % 4 != 0 };
            string text = SyntheticModel.Write(random.Next(), shape);
            for (int damage = random.Next(1, 4); damage > 0; damage--) text = Damage(random, text);
            ModelReadResult result = LightGbmModelReader.Read(text);
            Assert.True(result.Model is null != result.Error is null);
            if (result.IsRead)
            {
                Score(result.Model, i);
                if (TryExplain(result.Model, i)) explained++;
                continue;
            }

            refused++;
            Assert.NotEmpty(result.Error.Key);
            Assert.EndsWith(".", result.Error.Message, StringComparison.Ordinal);
        }

        Assert.InRange(refused, MutantsPerSeed / 4, MutantsPerSeed);
        Assert.InRange(explained, MutantsPerSeed / 40, MutantsPerSeed);
    }

    private static bool TryExplain(LightGbmModel model, int seed)
    {
        if (Explainer.TryCompile(model, out string reason) is not { } explainer)
        {
            Assert.NotEmpty(reason);
            return false;
        }

        explainer.Explain(SyntheticModel.Rows(seed, model, 20), 20, new double[20 * explainer.ContributionCount], explainer.NewScratch());
        return true;
    }

    private static void Score(LightGbmModel model, int seed)
    {
        Ensemble ensemble = Ensemble.Compile(model);
        Ensemble plain = Ensemble.Compile(model, ScoringPaths.Plain);
        double[] rows = SyntheticModel.Rows(seed, model, 20);
        double[] fast = new double[20 * ensemble.OutputCount];
        double[] slow = new double[fast.Length];
        ensemble.PredictRaw(rows, 20, fast);
        plain.PredictRaw(rows, 20, slow);
        Assert.Equal(slow, fast);
        ensemble.Transform(fast, 20, fast);
        ensemble.PredictLeaves(rows, 20, new int[20 * ensemble.TreeCount]);
    }

    private static string Damage(Random random, string text)
    {
        string[] lines = text.Split('\n');
        int at = random.Next(lines.Length);
        switch (random.Next(7))
        {
            case 0:
                return text[..random.Next(text.Length + 1)];
            case 1:
                int other = random.Next(lines.Length);
                (lines[at], lines[other]) = (lines[other], lines[at]);
                break;
            case 2:
                lines[at] = "";
                break;
            case 3:
                lines[at] += "\n" + lines[random.Next(lines.Length)];
                break;
            case 4:
                char[] characters = text.ToCharArray();
                if (characters.Length > 0) characters[random.Next(characters.Length)] = (char)random.Next(128);
                return new string(characters);
            default:
                lines[at] = DamageNumber(random, lines[at]);
                break;
        }

        return string.Join('\n', lines);
    }

    private static string DamageNumber(Random random, string line)
    {
        int equals = line.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0) return line;
        string[] tokens = line[(equals + 1)..].Split(' ');
        int at = random.Next(tokens.Length);
        tokens[at] = random.Next(2) == 0 ? Poison[random.Next(Poison.Length)] : tokens[random.Next(tokens.Length)];
        return line[..(equals + 1)] + string.Join(' ', tokens);
    }
}
