using Collections.Scoring;

namespace Collections.Benchmarks;

/// <summary>The model that the product ships, found from the build's folder upwards.</summary>
internal static class ShippedModelText
{
    public static string Read()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "models", "propensity", "model.txt");
            if (File.Exists(path))
                return File.ReadAllText(path);
        }
        throw new FileNotFoundException("models/propensity/model.txt is in no folder above the benchmarks; run them inside the clone");
    }

    public static LightGbmModel Model() => LightGbmModelReader.Read(Read()).Model ?? throw new InvalidDataException("the shipped model can't be read");
}
