using Collections.Scoring.Reasons;

namespace Collections.Server.Services;

/// <summary>Reasons in the form of the contract, in a language.</summary>
internal static class ReasonTexts
{
    /// <summary>The language of a request.</summary>
    /// <exception cref="Grpc.Core.RpcException">There are no texts in it.</exception>
    public static string Language(string tag) => ReasonCatalogue.Shipped.LanguageOf(tag)
        ?? throw Wire.Invalid("language", $"must be one of {string.Join(", ", ReasonCatalogue.Shipped.Languages)}", tag);

    public static IEnumerable<V1.Reason> Describe(TopReasons reasons, string language)
    {
        for (int i = 0; i < reasons.Count; i++)
            yield return Describe(reasons[i], language);
    }

    /// <summary>A code that a newer version has kept has no text in this one.</summary>
    private static V1.Reason Describe(ReasonWeight weight, string language)
    {
        Reason? reason = ReasonCatalogue.Shipped.Find(weight.Code);
        return new V1.Reason
        {
            Code = weight.Code,
            Id = reason?.Id ?? "",
            Title = reason?.In(language).Title ?? "",
            Text = reason?.Say(language, weight.Contribution) ?? "",
            Contribution = weight.Contribution,
        };
    }
}
