using System.Security.Cryptography;
using System.Text;
using Collections.Scoring.Registry;

namespace Collections.Engine.Scoring;

/// <summary>A model as it comes and is kept: LightGBM's text and the manifest's.</summary>
/// <param name="Manifest">Empty: there is none, and what can be is taken from the model itself.</param>
public sealed record ModelFiles(string Text, string Manifest)
{
    /// <summary>Of the model file's bytes, in lower-case hexadecimal.</summary>
    public string Sha256 { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));

    /// <summary>The manifest; one made of the file's name and hash where there is none.</summary>
    /// <param name="name">What the model is called without a manifest.</param>
    /// <returns>The manifest, or null and what is wrong with it.</returns>
    public ModelManifest? ReadManifest(string name, out string error)
    {
        ModelManifest? manifest;
        if (Manifest.Length > 0)
        {
            manifest = ManifestReader.Read(Manifest, out error);
        }
        else
        {
            error = "";
            manifest = new ModelManifest { Name = NameFrom(name), Version = Sha256[..12], Target = ModelTarget.Propensity, HorizonDays = HorizonDaysAssumed };
        }
        if (manifest is { Sha256.Length: > 0 } && manifest.Sha256 != Sha256)
        {
            error = $"sha256: the manifest belongs to another model file: it says '{manifest.Sha256}', and the file has '{Sha256}'";
            return null;
        }
        return manifest;
    }

    /// <summary>What is assumed of a model that says nothing: it predicts for a month.</summary>
    private const int HorizonDaysAssumed = 30;

    private static string NameFrom(string text)
    {
        var name = new StringBuilder();
        foreach (char c in text.ToLowerInvariant())
            name.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '-');
        string taken = name.ToString().TrimStart('.', '_', '-');
        return taken.Length == 0 ? "model" : taken[..Math.Min(64, taken.Length)];
    }
}
