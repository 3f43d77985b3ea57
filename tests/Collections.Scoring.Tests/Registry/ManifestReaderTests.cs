using Collections.Scoring.Registry;
using FsCheck;
using FsCheck.Fluent;

namespace Collections.Scoring.Tests.Registry;

/// <summary>Manifests: what is read, and how what is wrong is said.</summary>
public sealed class ManifestReaderTests
{
    private const string Whole = """
        {
          "format": 1, "name": "propensity", "version": "2026-11-22.1", "target": "propensity", "horizon_days": 30, "outcome": "paid:0.5",
          "label": "half of what was overdue was paid within 30 days", "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "features": ["oldest_dpd", "product"], "category_codes": {"product": {"mobile": 0, "fixed": 1}},
          "training": {"source": "log", "from": "2026-01-01", "to": "2026-06-30", "rows": 10, "debtors": 5, "positives": 3},
          "metrics": {"auc": 0.75, "ks_by_stage": {"1-30": 0.5}},
          "calibration": {"method": "isotonic", "raw": [-1, 0, 2], "probability": [0.1, 0.4, 0.4]},
          "distribution": {"score": {"edges": [0], "shares": [0.5, 0.5], "missing": 0},
            "features": {"oldest_dpd": {"edges": [30, 60], "shares": [0.25, 0.25, 0.25], "missing": 0.25}}}
        }
        """;

    [Fact]
    public void A_whole_manifest_is_read()
    {
        ModelManifest manifest = ManifestReader.Read(Whole, out string error)!;
        Assert.Equal("", error);
        Assert.Equal(("propensity", "2026-11-22.1", ModelTarget.Propensity, 30), (manifest.Name, manifest.Version, manifest.Target, manifest.HorizonDays));
        Assert.Equal(0.5, manifest.PaidShare);
        Assert.Equal(1, manifest.CategoryCodes["product"]["fixed"]);
        Assert.Equal(new TrainingWindow("log", "2026-01-01", "2026-06-30", 10, 5, 3), manifest.Training);
        Assert.Equal(0.5, manifest.Metrics["ks_by_stage.1-30"]);
        Assert.Equal([30.0, 60.0], manifest.FeatureShares["oldest_dpd"].Edges.ToArray());
        Assert.Equal(2, manifest.ScoreShares!.Shares.Length);
        Assert.Equal("isotonic", manifest.Calibration!.Method);
    }

    [Theory]
    [InlineData("\"format\": 1", "\"format\": 2", "format: must be 1, but is '2'")]
    [InlineData("\"format\": 1,", "", "format: is missing")]
    [InlineData("\"name\": \"propensity\"", "\"name\": \"Pro pensity\"", "name: must be 1 to 64 of a-z, 0-9, '.', '_' and '-', but is 'Pro pensity'")]
    [InlineData("\"version\": \"2026-11-22.1\"", "\"version\": 3", "version: must be a text, but is '3'")]
    [InlineData("\"target\": \"propensity\"", "\"target\": \"churn\"", "target: must be propensity or pre-due-risk, but is 'churn'")]
    [InlineData("\"horizon_days\": 30", "\"horizon_days\": 0", "horizon_days: must be an integer from 1 to 3650, but is '0'")]
    [InlineData("\"horizon_days\": 30", "\"horizon_days\": 30.5", "horizon_days: must be an integer from 1 to 3650, but is '30.5'")]
    [InlineData("aaaaaaaaaa\"", "aaaaaaaaaA\"", "sha256: must be 64 hexadecimal digits in lower case, but is 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA'")]
    [InlineData("[\"oldest_dpd\", \"product\"]", "[\"oldest_dpd\", 7]", "features: must be a list of texts, but is '7'")]
    [InlineData("{\"mobile\": 0, \"fixed\": 1}", "{\"mobile\": -1}", "category_codes.product.mobile: must be an integer from 0 to 2147483647, but is '-1'")]
    [InlineData("{\"mobile\": 0, \"fixed\": 1}", "[1]", "category_codes.product: must be an object, but is '[1]'")]
    [InlineData("\"rows\": 10", "\"rows\": \"ten\"", "training.rows: must be an integer from 0 to 9223372036854775807, but is '\"ten\"'")]
    [InlineData("\"auc\": 0.75", "\"auc\": \"good\"", "metrics.auc: must be a finite number, but is '\"good\"'")]
    [InlineData("\"auc\": 0.75", "\"auc\": 1e999", "metrics.auc: must be a finite number, but is '1e999'")]
    [InlineData("\"isotonic\"", "\"magic\"", "calibration.method: must be isotonic or spline, but is 'magic'")]
    [InlineData("[-1, 0, 2]", "[-1, -1, 2]", "calibration.raw[1]: must be finite and more than the one before, but is '-1'")]
    [InlineData("[0.1, 0.4, 0.4]", "[0.1, 0.4, 0.3]", "calibration.probability[2]: must be 0 to 1 and not less than the one before, but is '0.3'")]
    [InlineData("[0.1, 0.4, 0.4]", "[0.1, 0.4]", "calibration: has 3 raw scores and 2 probabilities; each point has both")]
    [InlineData("[30, 60]", "[60, 30]", "distribution.features.oldest_dpd.edges[1]: must be finite and more than the one before, but is '30'")]
    [InlineData("\"missing\": 0.25", "\"missing\": 0.5", "distribution.features.oldest_dpd: shares and missing must be 0 to 1 and sum to 1, but sum to '1.25'")]
    [InlineData("\"missing\": 0}", "\"nothing\": 0}", "distribution.score.missing: is missing")]
    public void What_is_wrong_is_named_with_its_value_and_nothing_is_taken(string right, string wrong, string expected)
    {
        Assert.Contains(right, Whole, StringComparison.Ordinal);
        Assert.Null(ManifestReader.Read(Whole.Replace(right, wrong, StringComparison.Ordinal), out string error));
        Assert.Equal(expected, error);
    }

    [Theory]
    [InlineData("", "the manifest is no JSON: line 1, byte 1")]
    [InlineData("{\n  \"name\": }", "the manifest is no JSON: line 2, byte 11")]
    [InlineData("[]", "the manifest must be a JSON object")]
    [InlineData("null", "the manifest must be a JSON object")]
    public void What_is_no_object_is_refused(string text, string expected)
    {
        Assert.Null(ManifestReader.Read(text, out string error));
        Assert.Equal(expected, error);
    }

    [Theory]
    [InlineData("\"label\": \"half", "\"label\": \"\\ud800half")]
    [InlineData("\"oldest_dpd\", ", "\"\\udfff\", ")]
    [InlineData("\"mobile\": 0", "\"\\ud800\": 0")]
    [InlineData("\"auc\"", "\"\\ud800\"")]
    public void A_text_that_is_no_Unicode_is_refused(string right, string wrong)
    {
        Assert.Contains(right, Whole, StringComparison.Ordinal);
        Assert.Null(ManifestReader.Read(Whole.Replace(right, wrong, StringComparison.Ordinal), out string error));
        Assert.Equal("the manifest has a text that is no Unicode: half of a surrogate pair", error);
    }

    [Theory]
    [InlineData("\"format\": 1", "\"format\": 1, \"target\": \"pre-due-risk\"", "target")]
    [InlineData("{\"mobile\": 0", "{\"mobile\": 7, \"mobile\": 0", "category_codes.product.mobile")]
    public void A_field_that_is_said_twice_is_refused(string right, string wrong, string field)
    {
        Assert.Contains(right, Whole, StringComparison.Ordinal);
        Assert.Null(ManifestReader.Read(Whole.Replace(right, wrong, StringComparison.Ordinal), out string error));
        Assert.Equal($"{field}: is there twice", error);
    }

    [Fact]
    public void As_many_codes_as_a_manifest_can_hold_are_read_as_fast_as_few()
    {
        string codes = string.Join(',', Enumerable.Range(0, 1_000_000).Select(i => $"\"{i:x}\":{i}"));
        ModelManifest manifest = ManifestReader.Read(Whole.Replace("\"mobile\": 0, \"fixed\": 1", codes, StringComparison.Ordinal), out string error)!;
        Assert.Equal("", error);
        Assert.Equal(999_999, manifest.CategoryCodes["product"][$"{999_999:x}"]);
    }

    [Fact]
    public void Cut_anywhere_a_manifest_is_refused_and_never_crashes()
    {
        for (int length = 0; length < Whole.Length; length++)
        {
            Assert.Null(ManifestReader.Read(Whole[..length], out string error));
            Assert.NotEqual("", error);
        }
    }

    [Fact]
    public void A_calibration_rises_and_goes_through_its_points()
    {
        Calibration calibration = ManifestReader.Read(Whole, out _)!.Calibration!;
        Assert.Equal([0.1, 0.1, 0.25, 0.4, 0.4, 0.4], ((double[])[-9, -1, -0.5, 0, 1, 9]).Select(calibration.Of), new Close());
        Assert.True(double.IsNaN(calibration.Of(double.NaN)));
        Prop.ForAll(ArbMap.Default.ArbFor<NormalFloat>(), ArbMap.Default.ArbFor<NormalFloat>(), (a, b) => a.Get > b.Get || calibration.Of(a.Get) <= calibration.Of(b.Get)).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(0.0, 0)]
    [InlineData(30.0, 0)]
    [InlineData(30.1, 1)]
    [InlineData(60.0, 1)]
    [InlineData(61.0, 2)]
    [InlineData(double.PositiveInfinity, 2)]
    [InlineData(double.NaN, 3)]
    public void An_edge_belongs_to_the_bin_below_it(double value, int bin) => Assert.Equal(bin, ManifestReader.Read(Whole, out _)!.FeatureShares["oldest_dpd"].BinOf(value));

    [Fact]
    public void The_stability_index_is_the_formulas()
    {
        BinnedShares shares = ManifestReader.Read(Whole, out _)!.FeatureShares["oldest_dpd"];
        Assert.Equal(0, shares.StabilityIndex([25, 25, 25, 25]), 12);
        // (0.5 − 0.25) ln 2 twice, (0 − 0.25) counted as 0.0001: (0.0001 − 0.25) ln 0.0004 twice.
        double expected = 2 * 0.25 * Math.Log(2) + 2 * (0.0001 - 0.25) * Math.Log(0.0004);
        Assert.Equal(expected, shares.StabilityIndex([50, 50, 0, 0]), 12);
        Assert.True(double.IsNaN(shares.StabilityIndex([0, 0, 0, 0])));
        Prop.ForAll(ArbMap.Default.ArbFor<PositiveInt>(), ArbMap.Default.ArbFor<PositiveInt>(), (a, b) => shares.StabilityIndex([a.Get, b.Get, a.Get % 7, b.Get % 5]) >= 0).QuickCheckThrowOnFailure();
    }

    private sealed class Close : IEqualityComparer<double>
    {
        public bool Equals(double x, double y) => Math.Abs(x - y) < 1e-12;

        public int GetHashCode(double obj) => 0;
    }
}
