using System.Text;
using Collections.Engine.Scoring;

namespace Collections.Server.Hosting;

/// <summary>The propensity model that the program carries with it, and models from files.</summary>
public static class ShippedModel
{
    /// <summary>The model file of a directory, and the manifest beside a model file.</summary>
    private const string ModelFile = "model.txt", ManifestFile = "manifest.json";

    public static ScoringModel Propensity() =>
        ScoringModel.Create("propensity", new ModelFiles(Resource(ModelFile), Resource(ManifestFile)), out string error) ?? throw new InvalidOperationException(error);

    /// <summary>Reads a model: a directory with model.txt and manifest.json, or a model file, with a manifest beside it or without.</summary>
    /// <returns>The files, or null and the reason.</returns>
    public static ModelFiles? ReadFiles(string path, out string error)
    {
        error = "";
        try
        {
            string model = Directory.Exists(path) ? Path.Combine(path, ModelFile) : path;
            // Beside a file of another name lies the manifest of another model, if any.
            string manifest = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(model))!, ManifestFile);
            bool hasManifest = Path.GetFileName(model) == ModelFile && File.Exists(manifest);
            return new ModelFiles(File.ReadAllText(model), hasManifest ? File.ReadAllText(manifest) : "");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            error = $"{path}: {failure.Message}";
            return null;
        }
    }

    /// <summary>Reads a model and ties it to the catalogue.</summary>
    /// <returns>The model, or null and the reason.</returns>
    public static ScoringModel? FromFile(string path, out string error) =>
        ReadFiles(path, out error) is { } files ? ScoringModel.Create(NameOf(path), files, out error) : null;

    /// <summary>What a model is called that has no manifest: its file's name, or its folder's where that says nothing.</summary>
    public static string NameOf(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        return Path.GetFileName(path) == ModelFile ? Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path)))! : name;
    }

    private static string Resource(string file)
    {
        using Stream stream = typeof(ShippedModel).Assembly.GetManifestResourceStream($"models/propensity/{file}")
            ?? throw new InvalidOperationException($"the program was built without models/propensity/{file}");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
