namespace Collections.Scoring.Reasons;

/// <summary>What a reason is called in one language.</summary>
/// <param name="Title">A few words for a table.</param>
/// <param name="Raises">A sentence for a contribution above 0.</param>
/// <param name="Lowers">A sentence for a contribution below 0.</param>
public sealed record ReasonText(string Title, string Raises, string Lowers);

/// <summary>
/// Features that a person would name in one breath. It says which aspect weighs and which way, never more than the contribution shows: a text
/// is as true of a short delay as of a long one.
/// </summary>
public sealed class Reason
{
    private readonly Dictionary<string, ReasonText> _texts;
    private readonly string[] _features;

    internal Reason(int code, string id, string[] features, Dictionary<string, ReasonText> texts)
    {
        Code = code;
        Id = id;
        _features = features;
        _texts = texts;
    }

    /// <summary>From 1; never given to another reason.</summary>
    public int Code { get; }

    /// <summary>A short name for programs; never changed.</summary>
    public string Id { get; }

    /// <summary>The features of the catalogue that it stands for.</summary>
    public IReadOnlyList<string> Features => _features;

    /// <summary>Its texts in one of <see cref="ReasonCatalogue.Languages"/>.</summary>
    public ReasonText In(string language) => _texts[language];

    /// <summary>The sentence for a contribution.</summary>
    public string Say(string language, double contribution) => contribution < 0 ? In(language).Lowers : In(language).Raises;
}
