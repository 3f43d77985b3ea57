using System.Text;
using Collections.Domain;
using Collections.Domain.Debtors;

namespace Collections.Scoring.Reasons;

/// <summary>
/// Which feature belongs to which reason, and what the reasons are called. The shipped one is <c>reasons/catalogue.json</c>, which the program
/// carries.
/// </summary>
public sealed class ReasonCatalogue
{
    /// <summary>The language of those who ask for none.</summary>
    public const string DefaultLanguage = "en";

    private static readonly Lazy<ReasonCatalogue> Embedded = new(ReadEmbedded);

    private readonly string[] _languages;
    private readonly Reason[] _reasons;
    private readonly int[] _reasonOf;

    internal ReasonCatalogue(string[] languages, Reason[] reasons, int[] reasonOf)
    {
        _languages = languages;
        _reasons = reasons;
        _reasonOf = reasonOf;
    }

    /// <summary>The catalogue that the program carries.</summary>
    public static ReasonCatalogue Shipped => Embedded.Value;

    /// <summary>Two-letter codes of the languages that every reason has texts in.</summary>
    public IReadOnlyList<string> Languages => _languages;

    /// <summary>All reasons by their code.</summary>
    public IReadOnlyList<Reason> Reasons => _reasons;

    /// <summary>The place in <see cref="Reasons"/> of what a feature belongs to.</summary>
    /// <param name="feature">The feature's place in <see cref="FeatureCatalogue.Names"/>.</param>
    public int PlaceOf(int feature) => _reasonOf[feature];

    /// <summary>The reason with a code; null if this version has none, as when a newer one wrote it.</summary>
    public Reason? Find(int code)
    {
        int place = Array.FindIndex(_reasons, reason => reason.Code == code);
        return place < 0 ? null : _reasons[place];
    }

    /// <summary>The language that is meant by a tag such as "de" or "de-AT"; null if there are no texts in it.</summary>
    /// <param name="tag">Empty: the default.</param>
    public string? LanguageOf(string tag)
    {
        if (tag.Length == 0) return DefaultLanguage;
        int end = tag.AsSpan().IndexOfAny('-', '_');
        string primary = end < 0 ? tag : tag[..end];
        return Array.Find(_languages, language => string.Equals(language, primary, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Adds contributions up by reason and picks those that weigh most.</summary>
    /// <param name="sums">Per reason, in the order of <see cref="Reasons"/>, the sum of its features' contributions.</param>
    public TopReasons Top(ReadOnlySpan<double> sums)
    {
        Span<ReasonWeight> top = stackalloc ReasonWeight[TopReasons.CountMax + 1];
        int count = 0;
        for (int i = 0; i < sums.Length; i++)
        {
            // A reason that adds nothing is none; NaN, of a model with infinite leaves, can't be weighed.
            if (!(Math.Abs(sums[i]) > 0)) continue;
            ReasonWeight weight = new(_reasons[i].Code, sums[i]);
            int at = count;
            for (; at > 0 && ReasonWeight.Compare(weight, top[at - 1]) < 0; at--) top[at] = top[at - 1];
            top[at] = weight;
            count = Math.Min(count + 1, TopReasons.CountMax);
        }

        return new TopReasons(top[..count]);
    }

    private static ReasonCatalogue ReadEmbedded()
    {
        using Stream stream = typeof(ReasonCatalogue).Assembly.GetManifestResourceStream("reasons/catalogue.json")
            ?? throw new InvariantBrokenException("the program carries reasons/catalogue.json");
        using StreamReader reader = new(stream, Encoding.UTF8);
        ReasonCatalogue? catalogue = ReasonCatalogueReader.Read(reader.ReadToEnd(), out string error);
        return catalogue ?? throw new InvariantBrokenException($"reasons/catalogue.json can be read: {error}");
    }
}
