namespace Collections.Scoring;

/// <summary>What stands before the first tree.</summary>
internal readonly record struct ModelHeader(
    string Version,
    string[] FeatureNames,
    int OutputCount,
    Objective Objective,
    bool AverageOutput,
    int? DeclaredTreeCount,
    int TreeSizesLine,
    ModelField FirstTreeLine);

/// <summary>Reads the header: the line <c>tree</c>, then <c>key=value</c> lines in any order, up to the first <c>Tree=</c>.</summary>
internal static class HeaderReader
{
    private const string FirstLine = "tree";
    internal const string TreePrefix = "Tree=";

    /// <summary>
    /// The keys that LightGBM 2 to 4 write. A key that is not here may change what the model means, so it is refused, not ignored.
    /// </summary>
    private static readonly string[] KnownKeys =
    [
        "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective", "average_output",
        "feature_names", "monotone_constraints", "feature_infos", "tree_sizes",
    ];

    public static ModelError? Read(ReadOnlySpan<char> text, ref ModelText lines, out ModelHeader header)
    {
        header = default;
        ModelError? error = ReadFields(text, ref lines, out Dictionary<string, ModelField> fields, out ModelField firstTree);
        if (error is not null) return error;

        int last = lines.Line;
        error = ReadVersion(text, fields, last, out string version);
        if (error is not null) return error;
        error = ReadCount(text, fields, "max_feature_idx", last, 0, Limits.FeaturesMax - 1, out int lastFeature);
        if (error is not null) return error;
        error = ReadNames(text, fields, lastFeature + 1, last, out string[] names);
        if (error is not null) return error;
        error = CheckInfos(text, fields, names.Length);
        if (error is not null) return error;
        error = ReadOutputs(text, fields, last, out int outputs);
        if (error is not null) return error;
        error = ObjectiveReader.Read(text, fields.GetValueOrDefault("objective"), outputs, out Objective objective);
        if (error is not null) return error;

        ModelField sizes = fields.GetValueOrDefault("tree_sizes");
        int? declaredTrees = sizes.IsPresent ? NumberText.CountTokens(sizes.In(text)) : null;
        header = new ModelHeader(version, names, outputs, objective, fields.ContainsKey("average_output"), declaredTrees, sizes.Line, firstTree);
        return null;
    }

    private static ModelError? ReadFields(ReadOnlySpan<char> text, ref ModelText lines, out Dictionary<string, ModelField> fields, out ModelField firstTree)
    {
        fields = [];
        firstTree = default;
        bool started = false;
        while (lines.TryRead(out ReadOnlySpan<char> line))
        {
            if (line.Length == 0) continue;
            if (!started)
            {
                if (!line.SequenceEqual(FirstLine))
                {
                    return new ModelError(lines.Line, "file", $"A LightGBM text model begins with the line 'tree', but this begins with {NumberText.Quote(line)}. Give a file written by LightGBM's save_model.");
                }

                started = true;
                continue;
            }

            if (line.StartsWith(TreePrefix, StringComparison.Ordinal))
            {
                firstTree = new ModelField(lines.Line, lines.LineStart, line.Length);
                return null;
            }

            ModelError? error = AddField(line, lines, fields);
            if (error is not null) return error;
        }

        return new ModelError(lines.Line, "Tree", started
            ? "The file ends before its first tree. It was cut off, or holds an untrained model; copy or train it again."
            : "The file is empty. Give a file written by LightGBM's save_model.");
    }

    private static ModelError? AddField(ReadOnlySpan<char> line, in ModelText lines, Dictionary<string, ModelField> fields)
    {
        int equals = line.IndexOf('=');
        ReadOnlySpan<char> given = equals < 0 ? line : line[..equals];
        if (Known(given) is not string key)
        {
            return new ModelError(lines.Line, "header", $"The key {NumberText.Quote(given)} is not known, so its meaning could not be reproduced. Save the model with LightGBM 2.2 to 4.6.");
        }

        if (equals < 0 && key != "average_output")
        {
            return new ModelError(lines.Line, key, "The key has no value. Save the model again with LightGBM.");
        }

        int valueStart = equals < 0 ? line.Length : equals + 1;
        return fields.TryAdd(key, new ModelField(lines.Line, lines.LineStart + valueStart, line.Length - valueStart))
            ? null
            : new ModelError(lines.Line, key, $"The key occurs twice (first on line {fields[key].Line}). Save the model again with LightGBM.");
    }

    /// <summary>The key as a string, without a copy of what is not one: a line may be as long as the file.</summary>
    private static string? Known(ReadOnlySpan<char> given)
    {
        foreach (string key in KnownKeys)
        {
            if (given.SequenceEqual(key)) return key;
        }

        return null;
    }

    private static ModelError? ReadVersion(ReadOnlySpan<char> text, Dictionary<string, ModelField> fields, int last, out string version)
    {
        ModelField field = fields.GetValueOrDefault("version");
        version = field.In(text) switch
        {
            "v2" => "v2",
            "v3" => "v3",
            "v4" => "v4",
            _ => "",
        };
        if (!field.IsPresent) return Missing("version", last);
        return version.Length > 0 ? null
            : new ModelError(field.Line, "version", $"Version {NumberText.Quote(field.In(text))} is not one of v2, v3, v4. Save the model with LightGBM 2.2 to 4.6.");
    }

    private static ModelError? ReadOutputs(ReadOnlySpan<char> text, Dictionary<string, ModelField> fields, int last, out int outputs)
    {
        ModelError? error = ReadCount(text, fields, "num_class", last, 1, Limits.OutputsMax, out outputs);
        if (error is not null || !fields.TryGetValue("num_tree_per_iteration", out ModelField field)) return error;
        error = ReadCount(text, fields, "num_tree_per_iteration", last, 1, Limits.OutputsMax, out int perIteration);
        if (error is not null) return error;
        return perIteration == outputs ? null : new ModelError(field.Line, "num_tree_per_iteration",
            $"{perIteration} trees an iteration for {outputs} classes: they must be equal. Save the model again with LightGBM.");
    }

    private static ModelError? ReadNames(ReadOnlySpan<char> text, Dictionary<string, ModelField> fields, int count, int last, out string[] names)
    {
        names = [];
        ModelField field = fields.GetValueOrDefault("feature_names");
        if (!field.IsPresent) return Missing("feature_names", last);
        ReadOnlySpan<char> list = field.In(text);
        int found = NumberText.CountTokens(list);
        if (found != count)
        {
            return new ModelError(field.Line, "feature_names", $"{found} names for {count} features (max_feature_idx + 1). Save the model again with LightGBM.");
        }

        names = new string[count];
        HashSet<string> seen = [];
        for (int i = 0; i < count && NumberText.TryTakeToken(ref list, out ReadOnlySpan<char> name); i++)
        {
            names[i] = name.ToString();
            if (!seen.Add(names[i]))
            {
                return new ModelError(field.Line, "feature_names", $"The name {NumberText.Quote(name)} occurs twice, so a feature could not be told by its name. Rename one and train again.");
            }
        }

        return null;
    }

    private static ModelError? CheckInfos(ReadOnlySpan<char> text, Dictionary<string, ModelField> fields, int count)
    {
        ModelField field = fields.GetValueOrDefault("feature_infos");
        if (!field.IsPresent) return null;
        int found = NumberText.CountTokens(field.In(text));
        return found == count ? null
            : new ModelError(field.Line, "feature_infos", $"{found} entries for {count} features. Save the model again with LightGBM.");
    }

    private static ModelError? ReadCount(ReadOnlySpan<char> text, Dictionary<string, ModelField> fields, string key, int last, int least, int most, out int value)
    {
        value = 0;
        ModelField field = fields.GetValueOrDefault(key);
        if (!field.IsPresent) return Missing(key, last);
        return NumberText.TryInt(field.In(text), out value) && value >= least && value <= most ? null
            : new ModelError(field.Line, key, $"{NumberText.Quote(field.In(text))} is not a whole number from {least} to {most}. Save the model again with LightGBM.");
    }

    private static ModelError Missing(string key, int last) =>
        new(last, key, "The header lacks this key. The file was cut or edited; save the model again with LightGBM.");
}
