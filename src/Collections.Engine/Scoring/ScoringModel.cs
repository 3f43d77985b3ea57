using System.Text;
using Collections.Domain.Debtors;
using Collections.Scoring;
using Collections.Scoring.Registry;

namespace Collections.Engine.Scoring;

/// <summary>
/// A LightGBM model tied to the feature catalogue: which catalogue feature feeds which of its columns, which codes its categories have, and how
/// its scores become probabilities. Immutable, shared by all partitions.
/// </summary>
public sealed class ScoringModel
{
    private readonly int[] columns;
    private readonly CategoryColumn[] categories;
    private readonly Lazy<ScoreExplainer> explainer;

    private ScoringModel(ModelFiles files, ModelManifest manifest, Ensemble ensemble, int[] columns, ushort number)
    {
        Files = files;
        Manifest = manifest;
        Ensemble = ensemble;
        this.columns = columns;
        categories = [.. Enumerable.Range(0, columns.Length).Where(i => CodesOf(i).Count > 0).Select(i => new CategoryColumn(i, columns[i], CodesOf(i)))];
        Number = number;
        explainer = new Lazy<ScoreExplainer>(() => new ScoreExplainer(ensemble.Model, columns));
    }

    public string Name => Manifest.Name;

    /// <summary>Its version within the name.</summary>
    public string Version => Manifest.Version;

    public ModelTarget Target => Manifest.Target;

    /// <summary>Of the model file.</summary>
    public string Sha256 => Files.Sha256;

    /// <summary>What a score carries to say which version made it, 1 to 65,535; 1 outside a registry.</summary>
    public ushort Number { get; }

    public ModelManifest Manifest { get; }

    public ModelFiles Files { get; }

    public Ensemble Ensemble { get; }

    public override string ToString() => $"{Name} {Version}";

    /// <summary>What speaks for and against its scores; compiled when it is first asked for, which takes some tens of milliseconds.</summary>
    public ScoreExplainer Explainer => explainer.Value;

    /// <summary>The catalogue's feature of each of its columns.</summary>
    public ReadOnlySpan<int> Columns => columns;

    /// <summary>Reads a model and ties its feature names to the catalogue.</summary>
    /// <param name="name">What it is called in messages, and in the registry if it has no manifest.</param>
    /// <returns>The model, or null and the reason why it can't be used here.</returns>
    public static ScoringModel? Create(string name, ModelFiles files, out string error, ushort number = 1)
    {
        ModelManifest? manifest = files.ReadManifest(name, out error);
        if (manifest is null)
        {
            error = $"{name}: {error}";
            return null;
        }
        ModelReadResult read = LightGbmModelReader.Read(files.Text);
        error = read.Model is null ? $"{read.Error}" : WhyNot(read.Model, manifest);
        if (read.Model is null || error.Length > 0)
        {
            error = $"{name}: {error}";
            return null;
        }
        int[] columns = [.. read.Model.FeatureNames.Select(FeatureCatalogue.IndexOf)];
        return new ScoringModel(files, manifest, Ensemble.Compile(read.Model), columns, number);
    }

    /// <summary>Picks the model's columns, in its order, out of one row of the catalogue.</summary>
    /// <param name="debtor">Tells the text of categories that are no integers.</param>
    public void Gather(ReadOnlySpan<double> catalogue, in Debtor debtor, Span<double> row)
    {
        for (int i = 0; i < columns.Length; i++)
            row[i] = catalogue[columns[i]];
        foreach (CategoryColumn category in categories)
            row[category.Column] = category.CodeOf(debtor.Category(category.Feature), row[category.Column]);
    }

    /// <summary>Probabilities from raw scores: calibrated where the manifest says how, otherwise by the model's own transform.</summary>
    public void Probabilities(ReadOnlySpan<double> raw, int rowCount, Span<double> probability)
    {
        if (Manifest.Calibration is not { } calibration)
        {
            Ensemble.Transform(raw, rowCount, probability);
            return;
        }
        for (int i = 0; i < rowCount; i++)
            probability[i] = calibration.Of(raw[i]);
    }

    private static string WhyNot(LightGbmModel model, ModelManifest manifest)
    {
        if (model.OutputCount != 1)
            return $"the model gives {model.OutputCount} outputs a row; the engine takes one probability";
        if (model.Objective.Link != OutputLink.Sigmoid && manifest.Calibration is null)
            return "the model's output is no probability; train it with a binary objective, or give its manifest a calibration";
        if (manifest.Features.Count > 0 && !manifest.Features.SequenceEqual(model.FeatureNames))
            return "features: the manifest's are not the model file's, in the same order";
        foreach (string feature in model.FeatureNames)
        {
            int index = FeatureCatalogue.IndexOf(feature);
            if (index < 0)
                return $"the model wants the feature '{feature}', which the catalogue does not have; train it on the columns that 'collections features' writes";
            if (!FeatureCatalogue.IsFed(index))
                return $"the model wants the feature '{feature}', which this version does not feed yet";
        }
        foreach (string feature in manifest.CategoryCodes.Keys)
        {
            int index = FeatureCatalogue.IndexOf(feature);
            if (index < 0 || !FeatureCatalogue.IsCategorical(index))
                return $"category_codes: '{feature}' is no categorical feature of the catalogue";
        }
        return "";
    }

    private IReadOnlyDictionary<string, int> CodesOf(int column) =>
        Manifest.CategoryCodes.TryGetValue(FeatureCatalogue.Names[columns[column]], out IReadOnlyDictionary<string, int>? codes) ? codes : new Dictionary<string, int>();

    /// <summary>A column whose values may be texts, and their codes.</summary>
    private sealed class CategoryColumn(int column, int feature, IReadOnlyDictionary<string, int> codes)
    {
        private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup = new Dictionary<string, int>(codes).GetAlternateLookup<ReadOnlySpan<char>>();

        public int Column { get; } = column;

        public int Feature { get; } = feature;

        /// <param name="otherwise">The code of an integer, or NaN.</param>
        public double CodeOf(ReadOnlySpan<byte> text, double otherwise)
        {
            if (text.IsEmpty)
                return otherwise;
            Span<char> characters = stackalloc char[Domain.Events.EventReader.NameMaxBytes];
            return text.Length <= characters.Length && lookup.TryGetValue(characters[..Encoding.UTF8.GetChars(text, characters)], out int code) ? code : otherwise;
        }
    }
}
