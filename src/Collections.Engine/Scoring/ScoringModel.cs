using Collections.Domain;
using Collections.Domain.Debtors;
using Collections.Scoring;

namespace Collections.Engine.Scoring;

/// <summary>
/// A LightGBM model tied to the feature catalogue: which catalogue feature feeds which of its columns. Immutable, shared by all partitions.
/// </summary>
public sealed class ScoringModel
{
    private readonly int[] columns;
    private readonly Lazy<ScoreExplainer> explainer;

    private ScoringModel(string name, ulong hash, Ensemble ensemble, int[] columns)
    {
        Name = name;
        Hash = hash;
        Ensemble = ensemble;
        this.columns = columns;
        explainer = new Lazy<ScoreExplainer>(() => new ScoreExplainer(ensemble.Model, columns));
    }

    public string Name { get; }

    /// <summary>Of the model's text.</summary>
    public ulong Hash { get; }

    /// <summary>Two bytes that a score carries to say which model made it; never 0.</summary>
    public ushort Version => (ushort)(Hash % 65_535 + 1);

    public Ensemble Ensemble { get; }

    /// <summary>What speaks for and against its scores; compiled when it is first asked for, which takes some tens of milliseconds.</summary>
    public ScoreExplainer Explainer => explainer.Value;

    /// <summary>The catalogue's feature of each of its columns.</summary>
    public ReadOnlySpan<int> Columns => columns;

    /// <summary>Reads a model and ties its feature names to the catalogue.</summary>
    /// <returns>The model, or null and the reason why it can't be used here.</returns>
    public static ScoringModel? Create(string name, string text, out string error)
    {
        ModelReadResult read = LightGbmModelReader.Read(text);
        if (read.Model is null)
        {
            error = $"{name}: {read.Error}";
            return null;
        }
        if (read.Model.OutputCount != 1)
        {
            error = $"{name}: the model gives {read.Model.OutputCount} outputs a row; a propensity model gives one probability";
            return null;
        }
        var columns = new int[read.Model.FeatureNames.Count];
        for (int i = 0; i < columns.Length; i++)
        {
            string feature = read.Model.FeatureNames[i];
            columns[i] = FeatureCatalogue.IndexOf(feature);
            if (columns[i] < 0)
            {
                error = $"{name}: the model wants the feature '{feature}', which the catalogue does not have; train it on the columns that 'collections features' writes";
                return null;
            }
            if (!FeatureCatalogue.IsFed(columns[i]))
            {
                error = $"{name}: the model wants the feature '{feature}', which this version does not feed yet";
                return null;
            }
        }
        error = "";
        return new ScoringModel(name, Hash64.Of(System.Text.Encoding.UTF8.GetBytes(text)), Ensemble.Compile(read.Model), columns);
    }

    /// <summary>Picks the model's columns, in its order, out of one row of the catalogue.</summary>
    public void Gather(ReadOnlySpan<double> catalogue, Span<double> row)
    {
        for (int i = 0; i < columns.Length; i++)
            row[i] = catalogue[columns[i]];
    }
}
