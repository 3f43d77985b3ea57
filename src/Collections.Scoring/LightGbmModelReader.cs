namespace Collections.Scoring;

/// <summary>
/// Reads a LightGBM text model (<c>model.txt</c>, format versions v2 to v4). Trees are found by structure, from one
/// <c>Tree=</c> line to the next: the byte counts in <c>tree_sizes</c> go stale when a file is edited or its line ends are
/// converted, so only their number is held against the trees found. Whatever could not be reproduced exactly is refused.
/// </summary>
public static class LightGbmModelReader
{
    /// <summary>Reads a whole model file.</summary>
    /// <param name="text">The file's text; line ends LF or CRLF.</param>
    /// <returns>The model, or the line, key and reason of the refusal. Never throws on any text.</returns>
    public static ModelReadResult Read(ReadOnlySpan<char> text)
    {
        if (text.Length > Limits.ModelTextCharsMax)
        {
            return Refuse(0, "file", $"The file has {text.Length} characters; at most {Limits.ModelTextCharsMax} are read. Deploy a smaller model.");
        }

        ModelText lines = new(text);
        ModelError? error = HeaderReader.Read(text, ref lines, out ModelHeader header);
        if (error is not null) return ModelReadResult.Refused(error);

        error = ReadTrees(text, ref lines, header, out List<DecisionTree> trees);
        error ??= CheckTreeCount(header, trees.Count, lines.Line);
        return error is not null
            ? ModelReadResult.Refused(error)
            : ModelReadResult.Read(new LightGbmModel(header.Version, header.FeatureNames, header.OutputCount, header.Objective, header.AverageOutput, [.. trees]));
    }

    private static ModelError? ReadTrees(ReadOnlySpan<char> text, ref ModelText lines, in ModelHeader header, out List<DecisionTree> trees)
    {
        trees = [];
        long leaves = 0;
        TreeSection section = new(header.FirstTreeLine);
        while (true)
        {
            if (trees.Count == Limits.TreesMax)
            {
                return new ModelError(section.Line, "Tree", $"The model has more than {Limits.TreesMax} trees, the most that are read. Deploy a smaller model.");
            }

            int index = trees.Count;
            ModelError? error = section.Read(text, ref lines, index);
            if (error is not null) return error;
            error = TreeReader.Read(text, section, header.FeatureNames.Length, out DecisionTree? tree);
            if (error is not null) return error;
            trees.Add(tree!);
            leaves += tree!.LeafCount;
            if (leaves > Limits.LeavesMax)
            {
                return new ModelError(section.Line, "num_leaves", $"The model has more than {Limits.LeavesMax} leaves in all, the most that are read. Deploy a smaller model.");
            }

            if (section.IsLast) return null;
        }
    }

    private static ModelError? CheckTreeCount(in ModelHeader header, int treeCount, int line)
    {
        if (header.DeclaredTreeCount is int declared && declared != treeCount)
        {
            return new ModelError(header.TreeSizesLine, "tree_sizes",
                $"It lists {declared} trees, but the file holds {treeCount}: trees were lost or added. Save the model again with LightGBM.");
        }

        return treeCount % header.OutputCount == 0 ? null : new ModelError(line, "Tree",
            $"{treeCount} trees are not a whole number of iterations of {header.OutputCount} trees (num_tree_per_iteration). Save the model again with LightGBM.");
    }

    private static ModelReadResult Refuse(int line, string key, string message) => ModelReadResult.Refused(new ModelError(line, key, message));
}
