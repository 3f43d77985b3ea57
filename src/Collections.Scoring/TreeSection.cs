namespace Collections.Scoring;

/// <summary>The keys of a tree, in the order LightGBM writes them; the numbers index <see cref="TreeSection"/> only.</summary>
internal enum TreeKey
{
    num_leaves,
    num_cat,
    split_feature,
    split_gain,
    threshold,
    decision_type,
    left_child,
    right_child,
    leaf_value,
    leaf_weight,
    leaf_count,
    internal_value,
    internal_weight,
    internal_count,
    cat_boundaries,
    cat_threshold,
    is_linear,
    leaf_const,
    num_features,
    leaf_features,
    leaf_coeff,
    shrinkage,
}

/// <summary>The fields of one tree, found in the text but not yet read. One is used for all trees of a file in turn.</summary>
internal sealed class TreeSection(ModelField firstTreeLine)
{
    private static readonly string[] KeyNames = Enum.GetNames<TreeKey>();

    private readonly ModelField[] _fields = new ModelField[KeyNames.Length];
    private ModelField _titleLine = firstTreeLine;

    /// <summary>The line of the tree's title, for what is missing from the tree.</summary>
    public int Line { get; private set; } = firstTreeLine.Line;

    /// <summary>True when no tree follows.</summary>
    public bool IsLast { get; private set; }

    public ModelField this[TreeKey key] => _fields[(int)key];

    /// <summary>Reads on to the next tree's title or to the end of the trees. The title of this tree has been read already.</summary>
    public ModelError? Read(ReadOnlySpan<char> text, ref ModelText lines, int expectedIndex)
    {
        Array.Clear(_fields);
        Line = _titleLine.Line;
        ReadOnlySpan<char> index = _titleLine.In(text)[HeaderReader.TreePrefix.Length..];
        if (!NumberText.TryInt(index, out int number) || number != expectedIndex)
        {
            return new ModelError(Line, "Tree", $"Tree {NumberText.Quote(index)} stands where tree {expectedIndex} belongs. The order of trees decides the last bits of a score; save the model again with LightGBM.");
        }

        bool ended = false;
        while (lines.TryRead(out ReadOnlySpan<char> line))
        {
            if (line.Length == 0)
            {
                ended = true;
                continue;
            }

            if (line.StartsWith(HeaderReader.TreePrefix, StringComparison.Ordinal))
            {
                _titleLine = new ModelField(lines.Line, lines.LineStart, line.Length);
                return null;
            }

            if (IsEndOfTrees(line))
            {
                IsLast = true;
                return null;
            }

            ModelError? error = Add(line, lines, ended);
            if (error is not null) return error;
        }

        return new ModelError(lines.Line, "end of trees", $"The file ends inside or after tree {expectedIndex} without the line 'end of trees': it was cut off. Copy it again.");
    }

    /// <summary>Early v2 writers go straight to the importances.</summary>
    private static bool IsEndOfTrees(ReadOnlySpan<char> line) => line is "end of trees" or "feature importances:" or "feature_importances:";

    private ModelError? Add(ReadOnlySpan<char> line, in ModelText lines, bool ended)
    {
        int equals = line.IndexOf('=');
        ReadOnlySpan<char> key = equals < 0 ? line : line[..equals];
        int known = -1;
        for (int i = 0; i < KeyNames.Length && known < 0; i++)
        {
            if (key.SequenceEqual(KeyNames[i])) known = i;
        }

        if (known < 0 || equals < 0)
        {
            return new ModelError(lines.Line, "tree", $"{NumberText.Quote(key)} is not a key of a tree with a value, so its meaning could not be reproduced. Save the model with LightGBM 2.2 to 4.6.");
        }

        if (ended)
        {
            return new ModelError(lines.Line, KeyNames[known], "The key stands after the blank line that ends its tree, where LightGBM does not read it. Save the model again with LightGBM.");
        }

        if (_fields[known].IsPresent)
        {
            return new ModelError(lines.Line, KeyNames[known], $"The key occurs twice in one tree (first on line {_fields[known].Line}). Save the model again with LightGBM.");
        }

        _fields[known] = new ModelField(lines.Line, lines.LineStart + equals + 1, line.Length - equals - 1);
        return null;
    }
}
