using System.Text;
using Collections.Engine.Scoring;

namespace Collections.Server.Hosting;

/// <summary>The propensity model that the program carries with it, and models from files.</summary>
public static class ShippedModel
{
    private const string Resource = "models/propensity/model.txt";

    public static ScoringModel Propensity()
    {
        using Stream stream = typeof(ShippedModel).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the program was built without {Resource}");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return ScoringModel.Create("propensity", reader.ReadToEnd(), out string error) ?? throw new InvalidOperationException(error);
    }

    /// <summary>Reads a model file.</summary>
    /// <returns>The model, or null and the reason.</returns>
    public static ScoringModel? FromFile(string path, out string error)
    {
        try
        {
            return ScoringModel.Create(Path.GetFileNameWithoutExtension(path), File.ReadAllText(path), out error);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            error = $"{path}: {failure.Message}";
            return null;
        }
    }
}
