using System.Globalization;
using System.Text;

namespace Collections.Engine.Tests;

/// <summary>The smallest models there are: one split of one feature, so that a test knows every probability by heart.</summary>
internal static class StumpModel
{
    /// <summary>A model whose probability is <paramref name="below"/> up to the threshold and <paramref name="above"/> beyond it.</summary>
    /// <param name="trees">Further trees that add nothing, to make it long.</param>
    public static string Text(string feature, double threshold, double below, double above, int trees = 0)
    {
        var all = new List<string> { Tree(0, threshold, LogOdds(below), LogOdds(above)) };
        for (int i = 1; i <= trees; i++)
            all.Add(Tree(i, threshold, 0, 0));
        var text = new StringBuilder();
        text.Append("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\nobjective=binary sigmoid:1\n");
        text.Append(CultureInfo.InvariantCulture, $"feature_names={feature}\nfeature_infos=[0:1000000]\ntree_sizes={string.Join(' ', all.Select(tree => tree.Length))}\n\n");
        all.ForEach(tree => text.Append(tree));
        return text.Append("end of trees\n\nfeature_importances:\n\nparameters:\nend of parameters\n").ToString();
    }

    /// <summary>A model that says the same of everybody.</summary>
    public static string Constant(double probability) => Text("open_balance", 0, probability, probability);

    public static string Manifest(string name, string version, string target = "propensity", string more = "") =>
        $$"""{"format": 1, "name": "{{name}}", "version": "{{version}}", "target": "{{target}}", "horizon_days": 30{{(more.Length > 0 ? ", " + more : "")}}}""";

    private static double LogOdds(double probability) => Math.Log(probability / (1 - probability));

    private static string Tree(int number, double threshold, double left, double right) => string.Create(CultureInfo.InvariantCulture, $"""
        Tree={number}
        num_leaves=2
        num_cat=0
        split_feature=0
        split_gain=1
        threshold={threshold:R}
        decision_type=2
        left_child=-1
        right_child=-2
        leaf_value={left:R} {right:R}
        leaf_weight=1 1
        leaf_count=50 50
        internal_value=0
        internal_weight=0
        internal_count=100
        is_linear=0
        shrinkage=1



        """);
}
