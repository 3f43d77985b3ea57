using System.Text.Json.Nodes;
using Collections.Domain.Debtors;
using Collections.Scoring.Reasons;
using Xunit;

namespace Collections.Scoring.Tests;

/// <summary>The shipped catalogue of reasons, and what is refused of another.</summary>
public sealed class ReasonCatalogueTests
{
    /// <summary>Codes and ids are kept with actions and read by other systems: a line here may be added, never changed.</summary>
    private static readonly string[] Given =
    [
        "1 time_overdue: oldest_dpd weighted_dpd",
        "2 amount_owed: open_balance overdue_balance largest_open_item",
        "3 open_items: overdue_ratio open_items overdue_items days_to_next_due",
        "4 usual_amounts: mean_item_amount largest_item_ratio",
        "5 relationship: items_issued months_on_book",
        "6 punctuality: paid_late_ratio mean_days_late max_days_late last_days_late ewma_days_late mean_days_to_pay",
        "7 regularity: items_paid std_days_late payments partial_payment_ratio",
        "8 recent_payments: days_since_payment last_payment_amount last_payment_ratio payments_90d paid_90d",
        "9 failed_payments: reversed_payments failed_payments",
        "10 credit_balance: unapplied_credit",
        "11 contact_attempts: attempts_7d attempts_30d days_since_attempt",
        "12 contact_response: rpc_30d days_since_rpc response_rate voice_response_rate sms_response_rate email_response_rate",
        "13 promises: promises_made promise_kept_ratio broken_promise_streak days_to_promise",
        "14 payment_plan: plan_active plan_missed",
        "15 disputes: disputes_open disputes_total",
        "16 hardship: hardship_active",
        "17 stage: stage",
        "18 calendar: as_of_day_of_month as_of_day_of_week",
        "19 product: product",
        "20 profile: customer_type region",
    ];

    [Fact]
    public void Codes_and_ids_are_those_that_were_given_once() =>
        Assert.Equal(Given, ReasonCatalogue.Shipped.Reasons.Select(static reason => $"{reason.Code} {reason.Id}: {string.Join(' ', reason.Features)}"));

    [Fact]
    public void Every_feature_belongs_to_one_reason()
    {
        ReasonCatalogue catalogue = ReasonCatalogue.Shipped;
        for (int feature = 0; feature < FeatureCatalogue.Count; feature++)
        {
            Assert.Contains(FeatureCatalogue.Names[feature], catalogue.Reasons[catalogue.PlaceOf(feature)].Features);
        }

        Assert.Equal(FeatureCatalogue.Count, catalogue.Reasons.Sum(static reason => reason.Features.Count));
    }

    [Fact]
    public void Every_language_says_each_reason_in_its_own_words()
    {
        ReasonCatalogue catalogue = ReasonCatalogue.Shipped;
        Assert.Equal(["en", "de", "es", "fr"], catalogue.Languages);
        foreach (string language in catalogue.Languages)
        {
            List<ReasonText> texts = [.. catalogue.Reasons.Select(reason => reason.In(language))];
            string[] all = [.. texts.SelectMany(static text => new[] { text.Title, text.Raises, text.Lowers })];
            Assert.Equal(all.Length, all.Distinct().Count());
            foreach (ReasonText text in texts)
            {
                Assert.InRange(text.Title.Length, 5, 40);
                Assert.True(char.IsUpper(text.Raises[0]) && text.Raises.EndsWith('.'), text.Raises);
                Assert.True(char.IsUpper(text.Lowers[0]) && text.Lowers.EndsWith('.'), text.Lowers);
            }

            // No name of a feature, no word of the trade.
            Assert.DoesNotContain(all, static said => said.Contains('_') || said.Contains("dpd", StringComparison.OrdinalIgnoreCase) || said.Contains("score", StringComparison.OrdinalIgnoreCase));
        }

        foreach (Reason reason in catalogue.Reasons)
        {
            Assert.Equal(catalogue.Languages.Count, catalogue.Languages.Select(language => reason.In(language).Raises).Distinct().Count());
            Assert.Equal(reason.In("de").Raises, reason.Say("de", 0.1));
            Assert.Equal(reason.In("de").Lowers, reason.Say("de", -0.1));
        }
    }

    [Theory]
    [InlineData("", "en")]
    [InlineData("de", "de")]
    [InlineData("DE-at", "de")]
    [InlineData("fr_CA", "fr")]
    [InlineData("pt", null)]
    [InlineData("-", null)]
    [InlineData("ende", null)]
    public void A_language_tag_is_taken_by_its_language(string tag, string? language) => Assert.Equal(language, ReasonCatalogue.Shipped.LanguageOf(tag));

    public static TheoryData<string, string> Broken => new()
    {
        { "languages", "languages: must be a list of language codes with \"en\" among them" },
        { "a language", "reasons[0]: texts.it: must have title, raises and lowers" },
        { "a text", "reasons[3]: texts.fr: must have title, raises and lowers" },
        { "a feature", "the feature 'stage' belongs to no reason; add it to the features of one" },
        { "an unknown feature", "reasons[1]: features: 'shoe_size' is no feature of the catalogue" },
        { "a feature twice", "reasons[1]: features: 'oldest_dpd' belongs to an earlier reason already; name it once" },
        { "a code", "reasons[2]: code: must be a whole number above the 2 before it, at most 65535" },
        { "an id", "reasons[4]: its id is another's; give it its own" },
        { "reasons", "reasons: must be a list" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void What_is_wrong_with_a_catalogue_is_told(string what, string expected)
    {
        JsonObject catalogue = Shipped();
        JsonArray reasons = catalogue["reasons"]!.AsArray();
        switch (what)
        {
            case "languages": catalogue["languages"] = new JsonArray("de"); break;
            case "a language": catalogue["languages"]!.AsArray().Add("it"); break;
            case "a text": reasons[3]!["texts"]!["fr"]!["lowers"] = " "; break;
            case "a feature": reasons[16]!["features"] = new JsonArray(); break;
            case "an unknown feature": reasons[1]!["features"]!.AsArray().Add("shoe_size"); break;
            case "a feature twice": reasons[1]!["features"]!.AsArray().Add("oldest_dpd"); break;
            case "a code": reasons[2]!["code"] = 2; break;
            case "an id": reasons[4]!["id"] = "time_overdue"; break;
            default: catalogue.Remove("reasons"); break;
        }

        Assert.Null(ReasonCatalogueReader.Read(catalogue.ToJsonString(), out string error));
        Assert.Equal(expected, error);
        Assert.NotNull(ReasonCatalogueReader.Read(Shipped().ToJsonString(), out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("3")]
    [InlineData("{\"languages\":[\"en\"],\"reasons\":[7]}")]
    [InlineData("{\"languages\":[\"en\"],\"reasons\":[{\"code\":1e99}]}")]
    [InlineData("{\"languages\":[\"en\"],\"reasons\":[{\"code\":1,\"id\":\"a\",\"features\":[],\"texts\":{\"en\":[]}}]}")]
    public void Anything_else_is_refused(string json)
    {
        Assert.Null(ReasonCatalogueReader.Read(json, out string error));
        Assert.NotEqual("", error);
    }

    [Fact]
    public void The_four_heaviest_come_first_whichever_way_they_weigh_and_ties_go_by_code()
    {
        double[] sums = new double[ReasonCatalogue.Shipped.Reasons.Count];
        Assert.Equal(0, ReasonCatalogue.Shipped.Top(sums).Count);
        (sums[0], sums[3], sums[7], sums[9], sums[12], sums[15]) = (0.5, -2, 0.5, 0.5, 1, double.NaN);
        TopReasons top = ReasonCatalogue.Shipped.Top(sums);
        Assert.Equal(4, top.Count);
        Assert.Equal([(4, -2.0), (13, 1), (1, 0.5), (8, 0.5)], Enumerable.Range(0, 4).Select(i => (top[i].Code, top[i].Contribution)));
        Assert.Equal(top, new TopReasons([new(4, -2), new(13, 1), new(1, 0.5), new(8, 0.5)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TopReasons([new(1, 1)])[1]);
        Assert.Throws<ArgumentException>(() => new TopReasons([new(0, 1)]));
    }

    private static JsonObject Shipped()
    {
        using Stream stream = typeof(ReasonCatalogue).Assembly.GetManifestResourceStream("reasons/catalogue.json")!;
        return JsonNode.Parse(stream)!.AsObject();
    }
}
