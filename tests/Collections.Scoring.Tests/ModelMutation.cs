using System.Globalization;

namespace Collections.Scoring.Tests;

/// <summary>One kind of damage to a model file, done at a place that a seed decides.</summary>
/// <param name="Name">What is done.</param>
/// <param name="Apply">The damaged text; the text itself where there is nothing of the kind to damage.</param>
/// <param name="LeavesNoModel">True when no such file may be accepted, wherever the damage falls.</param>
internal sealed record ModelMutation(string Name, Func<Random, string, string> Apply, bool LeavesNoModel = false)
{
    private static readonly string[] Poison =
    [
        "", "nan", "-nan", "inf", "-inf", "-1", "0", "1", "2147483647", "-2147483648", "4294967295", "99999999999999999999", "1e308", "1e999",
        "1e-320", "-0", "x", "=", "Tree=0", "0x10", "\u0000", "\uD800", "1,5", "١",
    ];

    /// <summary>The lists without which a tree of two leaves or more is none.</summary>
    private static readonly string[] NeededLists = ["split_feature", "threshold", "decision_type", "left_child", "right_child", "leaf_value"];

    public static readonly ModelMutation[] All =
    [
        new("cut anywhere before the end mark", CutBeforeEnd, LeavesNoModel: true),
        new("two lines swapped", SwapLines),
        new("a line doubled elsewhere", DoubleLine),
        new("a line dropped", (random, text) => ChangeLine(random, text, static (_, _) => "")),
        new("a needed list dropped", (random, text) => ChangeField(random, text, NeededLists, static (_, _) => null), LeavesNoModel: true),
        new("a huge count", (random, text) => ChangeField(random, text, ["num_leaves", "num_cat", "max_feature_idx", "num_class"], static (random, _) => random.Next(2) == 0 ? "2147483647" : "131072"), LeavesNoModel: true),
        new("a negative count", (random, text) => ChangeField(random, text, ["num_leaves", "num_cat", "max_feature_idx", "num_class"], static (random, _) => (-random.Next(1, 5)).ToString(CultureInfo.InvariantCulture)), LeavesNoModel: true),
        new("a count that is one off", (random, text) => ChangeField(random, text, ["num_leaves"], static (random, value) => (int.Parse(value, CultureInfo.InvariantCulture) + (random.Next(2) * 2) - 1).ToString(CultureInfo.InvariantCulture)), LeavesNoModel: true),
        new("a threshold that is no number", (random, text) => ChangeEntry(random, text, ["threshold"], static (random, _) => random.Next(2) == 0 ? "nan" : "-nan"), LeavesNoModel: true),
        new("an infinite threshold", (random, text) => ChangeEntry(random, text, ["threshold"], static (random, _) => random.Next(2) == 0 ? "inf" : "-inf")),
        new("a child that leads back", (random, text) => ChangeEntry(random, text, ["left_child", "right_child"], static (_, _) => "0"), LeavesNoModel: true),
        new("a child of two nodes", ShareChild, LeavesNoModel: true),
        new("a child that is not there", (random, text) => ChangeEntry(random, text, ["left_child", "right_child"], static (random, _) => random.Next(2) == 0 ? "1000000" : "-1000000"), LeavesNoModel: true),
        new("a feature that is not there", (random, text) => ChangeEntry(random, text, ["split_feature"], static (random, _) => random.Next(2) == 0 ? "-1" : "1000000"), LeavesNoModel: true),
        new("boundaries of categories that fall or leap", (random, text) => ChangeEntry(random, text, ["cat_boundaries"], static (random, _) => random.Next(2) == 0 ? "-1" : "1000000000"), LeavesNoModel: true),
        new("a list that is one short", (random, text) => ChangeField(random, text, NeededLists, static (_, value) => value[..Math.Max(0, value.LastIndexOf(' '))]), LeavesNoModel: true),
        new("a list that is one long", (random, text) => ChangeField(random, text, [.. NeededLists, "cat_boundaries", "cat_threshold"], static (_, value) => value + " 1"), LeavesNoModel: true),
        new("an entry of poison", (random, text) => ChangeAnyEntry(random, text, static random => Poison[random.Next(Poison.Length)])),
        new("an entry from elsewhere in its list", SwapEntries),
        new("a character changed", ChangeCharacter),
        new("garbage within", InsertGarbage),
        new("a part repeated", RepeatPart),
    ];

    private static string CutBeforeEnd(Random random, string text)
    {
        int end = text.IndexOf("end of trees", StringComparison.Ordinal);
        return text[..random.Next(end < 0 ? text.Length : end)];
    }

    private static string SwapLines(Random random, string text)
    {
        string[] lines = text.Split('\n');
        int at = random.Next(lines.Length);
        int other = random.Next(lines.Length);
        (lines[at], lines[other]) = (lines[other], lines[at]);
        return string.Join('\n', lines);
    }

    private static string DoubleLine(Random random, string text)
    {
        string[] lines = text.Split('\n');
        return ChangeLine(random, text, (random, line) => line + "\n" + lines[random.Next(lines.Length)]);
    }

    private static string ChangeLine(Random random, string text, Func<Random, string, string> change)
    {
        string[] lines = text.Split('\n');
        int at = random.Next(lines.Length);
        lines[at] = change(random, lines[at]);
        return string.Join('\n', lines);
    }

    /// <summary>Changes one field of one of the keys, among those that hold something; null drops its line.</summary>
    private static string ChangeField(Random random, string text, string[] keys, Func<Random, string, string?> change)
    {
        List<string> lines = [.. text.Split('\n')];
        int[] candidates = [.. Enumerable.Range(0, lines.Count).Where(i => HasValue(lines[i], keys))];
        if (candidates.Length == 0) return text;
        int at = candidates[random.Next(candidates.Length)];
        int equals = lines[at].IndexOf('=', StringComparison.Ordinal);
        string? changed = change(random, lines[at][(equals + 1)..].TrimEnd('\r'));
        if (changed is null) lines.RemoveAt(at);
        else lines[at] = lines[at][..(equals + 1)] + changed;
        return string.Join('\n', lines);
    }

    private static bool HasValue(string line, string[] keys) =>
        keys.Any(key => line.Length > key.Length + 1 && line[key.Length] == '=' && line.StartsWith(key, StringComparison.Ordinal));

    private static string ChangeEntry(Random random, string text, string[] keys, Func<Random, string, string> change) =>
        ChangeField(random, text, keys, (random, value) =>
        {
            string[] entries = value.Split(' ');
            int at = random.Next(entries.Length);
            entries[at] = change(random, entries[at]);
            return string.Join(' ', entries);
        });

    private static string ChangeAnyEntry(Random random, string text, Func<Random, string> replacement) =>
        ChangeLine(random, text, (random, line) =>
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) return line;
            string[] entries = line[(equals + 1)..].Split(' ');
            entries[random.Next(entries.Length)] = replacement(random);
            return line[..(equals + 1)] + string.Join(' ', entries);
        });

    private static string SwapEntries(Random random, string text) =>
        ChangeLine(random, text, static (random, line) =>
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) return line;
            string[] entries = line[(equals + 1)..].Split(' ');
            entries[random.Next(entries.Length)] = entries[random.Next(entries.Length)];
            return line[..(equals + 1)] + string.Join(' ', entries);
        });

    /// <summary>One node points at what another one points at already.</summary>
    private static string ShareChild(Random random, string text) =>
        ChangeField(random, text, ["left_child", "right_child"], static (random, value) =>
        {
            string[] entries = value.Split(' ');
            int at = random.Next(entries.Length);
            string other = entries[(at + 1) % entries.Length];
            entries[at] = entries.Length > 1 ? other : "0";
            return string.Join(' ', entries);
        });

    private static string ChangeCharacter(Random random, string text)
    {
        char[] characters = text.ToCharArray();
        characters[random.Next(characters.Length)] = (char)random.Next(256);
        return new string(characters);
    }

    private static string InsertGarbage(Random random, string text)
    {
        char[] garbage = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => (char)random.Next(65536))];
        return text.Insert(random.Next(text.Length), new string(garbage));
    }

    private static string RepeatPart(Random random, string text)
    {
        int start = random.Next(text.Length);
        int length = random.Next(Math.Min(4000, text.Length - start));
        return text.Insert(random.Next(text.Length), text.Substring(start, length));
    }
}
