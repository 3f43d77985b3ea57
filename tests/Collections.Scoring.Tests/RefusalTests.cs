using Xunit;

namespace Collections.Scoring.Tests;

/// <summary>Files that could not be reproduced exactly, and what the person who gave them is told.</summary>
public sealed class RefusalTests
{
    private const string Valid =
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\nobjective=binary sigmoid:1\n"
        + "feature_names=a b\nfeature_infos=none none\ntree_sizes=1 2\n\n"
        + "Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nthreshold=1.5 0\ndecision_type=2 1\nleft_child=1 -1\nright_child=-2 -3\n"
        + "leaf_value=1 2 3\nleaf_count=1 2 3\ninternal_count=6 4\ncat_boundaries=0 1\ncat_threshold=5\nis_linear=0\nshrinkage=1\n\n\n"
        + "Tree=1\nnum_leaves=1\nnum_cat=0\nleaf_value=0.5\nis_linear=1\nleaf_const=1\nnum_features=1\nleaf_features=1\nleaf_coeff=2\nshrinkage=1\n\n\n"
        + "end of trees\n\nfeature_importances:\n";

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void The_file_that_the_others_are_made_from_is_read(string lineEnd)
    {
        ModelReadResult result = LightGbmModelReader.Read(Valid.Replace("\n", lineEnd, StringComparison.Ordinal));
        Assert.True(result.IsRead, result.Error?.ToString());
        Assert.Equal(["a", "b"], result.Model.FeatureNames);
        Assert.Equal(2, result.Model.Trees.Count);
        Assert.Equal([1, 2, 3], result.Model.Trees[0].LeafCounts.ToArray());
    }

    [Theory]
    [InlineData("tree\nversion", "booster\nversion", 1, "file", "'booster'")]
    [InlineData("version=v4", "version=v1", 2, "version", "'v1'")]
    [InlineData("version=v4\n", "", 11, "version", "lacks")]
    [InlineData("num_class=1", "num_class=two", 3, "num_class", "'two'")]
    [InlineData("num_class=1", "num_class=2", 4, "num_tree_per_iteration", "2 classes")]
    [InlineData("max_feature_idx=1", "max_feature_idx=2147483647", 6, "max_feature_idx", "'2147483647'")]
    [InlineData("max_feature_idx=1", "max_feature_idx=2", 8, "feature_names", "2 names for 3")]
    [InlineData("feature_names=a b", "feature_names=a a", 8, "feature_names", "'a' occurs twice")]
    [InlineData("feature_infos=none none", "feature_infos=none", 9, "feature_infos", "1 entries")]
    [InlineData("objective=binary sigmoid:1", "objective=newest sigmoid:1", 7, "objective", "'newest'")]
    [InlineData("objective=binary sigmoid:1", "objective=binary sigmoid:-1", 7, "objective", "'sigmoid:-1'")]
    [InlineData("objective=binary sigmoid:1", "objective=binary sigmoid:nan", 7, "objective", "'sigmoid:nan'")]
    [InlineData("objective=binary sigmoid:1", "objective=huber sqrt", 7, "objective", "'sqrt'")]
    [InlineData("objective=binary sigmoid:1", "objective=multiclass num_class:3", 7, "objective", "3 classes")]
    [InlineData("label_index=0", "label_index=0\nfuture_key=1", 6, "header", "'future_key'")]
    [InlineData("label_index=0", "label_index=0\nlabel_index=0", 6, "label_index", "twice")]
    [InlineData("tree_sizes=1 2", "tree_sizes=1 2 3", 10, "tree_sizes", "3 trees, but the file holds 2")]
    [InlineData("Tree=1", "Tree=7", 29, "Tree", "'7'")]
    [InlineData("num_leaves=3", "num_leaves=0", 13, "num_leaves", "'0'")]
    [InlineData("num_leaves=3", "num_leaves=2147483647", 13, "num_leaves", "'2147483647'")]
    [InlineData("num_leaves=3", "num_leaves=131072", 20, "leaf_value", "3 entries")]
    [InlineData("num_leaves=3\n", "", 12, "num_leaves", "lacks")]
    [InlineData("num_cat=1", "num_cat=131072", 23, "cat_boundaries", "2 entries")]
    [InlineData("num_cat=1", "num_cat=0", 16, "threshold", "0 category sets")]
    [InlineData("threshold=1.5 0", "threshold=nan 0", 16, "threshold", "nan")]
    [InlineData("threshold=1.5 0", "threshold=1.5 0.5", 16, "threshold", "0.5")]
    [InlineData("threshold=1.5 0", "threshold=1.5 1", 16, "threshold", "Entry 1 is 1")]
    [InlineData("threshold=1.5 0", "threshold=1,5 0", 16, "threshold", "'1,5'")]
    [InlineData("threshold=1.5 0", "threshold=1.5", 16, "threshold", "1 entries")]
    [InlineData("split_feature=0 1", "split_feature=0 2", 15, "split_feature", "Entry 1 is 2")]
    [InlineData("split_feature=0 1", "split_feature=-1 1", 15, "split_feature", "Entry 0 is -1")]
    [InlineData("decision_type=2 1", "decision_type=14 1", 17, "decision_type", "Entry 0 is 14")]
    [InlineData("left_child=1 -1", "left_child=0 -1", 18, "left_child", "no tree")]
    [InlineData("left_child=1 -1", "left_child=1 1", 18, "left_child", "no tree")]
    [InlineData("left_child=1 -1", "left_child=1 -2", 18, "left_child", "no tree")]
    [InlineData("right_child=-2 -3", "right_child=-2 -2", 19, "right_child", "no tree")]
    [InlineData("left_child=1 -1", "left_child=-1 1", 18, "left_child", "Only 3 of 5")]
    [InlineData("left_child=1 -1", "left_child=2 -1", 18, "left_child", "Entry 0 is 2")]
    [InlineData("right_child=-2 -3", "right_child=-4 -3", 19, "right_child", "Entry 0 is -4")]
    [InlineData("leaf_value=1 2 3", "leaf_value=1 2 x", 20, "leaf_value", "'x'")]
    [InlineData("leaf_count=1 2 3", "leaf_count=1 2", 21, "leaf_count", "2 entries")]
    [InlineData("cat_boundaries=0 1", "cat_boundaries=1 1", 23, "cat_boundaries", "Entry 0 is 1")]
    [InlineData("cat_boundaries=0 1", "cat_boundaries=0 2147483647", 24, "cat_threshold", "1 entries")]
    [InlineData("cat_threshold=5", "cat_threshold=-5", 24, "cat_threshold", "'-5'")]
    [InlineData("is_linear=1", "is_linear=2", 33, "is_linear", "'2'")]
    [InlineData("num_features=1", "num_features=2", 36, "leaf_features", "1 entries")]
    [InlineData("leaf_features=1", "leaf_features=2", 36, "leaf_features", "Entry 0 is 2")]
    [InlineData("shrinkage=1\n\n\nTree=1", "shrinkage=1\n\nleaf_weight=1\nTree=1", 28, "leaf_weight", "blank line")]
    [InlineData("shrinkage=1\n\n\nTree=1", "gravity=1\n\n\nTree=1", 26, "tree", "'gravity'")]
    [InlineData("shrinkage=1\n\n\nTree=1", "num_cat=1\n\n\nTree=1", 26, "num_cat", "twice")]
    [InlineData("end of trees\n\nfeature_importances:\n", "", 40, "end of trees", "cut off")]
    public void What_could_not_be_reproduced_is_refused_with_its_line_key_and_value(string part, string changed, int line, string key, string says)
    {
        string text = Valid.Replace(part, changed, StringComparison.Ordinal);
        Assert.NotEqual(Valid, text);
        ModelReadResult result = LightGbmModelReader.Read(text);
        Assert.False(result.IsRead);
        Assert.Equal((line, key), (result.Error.Line, result.Error.Key));
        Assert.Contains(says, result.Error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("tree")]
    [InlineData("tree\n")]
    [InlineData("Tree=0\n")]
    [InlineData("PK\u0003\u0004")]
    public void What_is_no_model_is_refused(string text)
    {
        ModelReadResult result = LightGbmModelReader.Read(text);
        Assert.False(result.IsRead);
        Assert.Null(result.Model);
    }

    [Fact]
    public void A_file_cut_anywhere_before_its_end_mark_is_refused()
    {
        int end = Valid.IndexOf("end of trees", StringComparison.Ordinal) + "end of trees".Length;
        for (int length = 0; length < end; length++)
        {
            Assert.False(LightGbmModelReader.Read(Valid.AsSpan(0, length)).IsRead, $"Cut after {length} characters it was read.");
        }

        Assert.True(LightGbmModelReader.Read(Valid.AsSpan(0, end)).IsRead);
    }

    [Fact]
    public void Infinite_thresholds_and_leaf_values_that_are_no_numbers_are_read_as_LightGBM_reads_them()
    {
        string text = Valid.Replace("threshold=1.5 0", "threshold=-inf 0", StringComparison.Ordinal).Replace("leaf_value=1 2 3", "leaf_value=+Infinity -NaN 1e-400", StringComparison.Ordinal);
        ModelReadResult result = LightGbmModelReader.Read(text);
        Assert.True(result.IsRead, result.Error?.ToString());
        Assert.Equal(double.NegativeInfinity, result.Model.Trees[0].Thresholds[0]);
        Assert.Equal([double.PositiveInfinity, double.NaN, 0.0], result.Model.Trees[0].LeafValues.ToArray());
    }
}
