namespace Collections.Engine.Partitions;

/// <summary>What the shadow model says of each debtor, by slot. Nothing acts on it and nothing keeps it: after a restart the book is scored again.</summary>
internal sealed class ShadowScores
{
    private double[] probability = [];

    /// <summary>Forgets everything, as when another shadow comes.</summary>
    public void Clear() => probability = [];

    public void Put(int slot, double value)
    {
        if (slot >= probability.Length)
        {
            int before = probability.Length;
            Array.Resize(ref probability, Math.Max(1024, Math.Max(slot + 1, before * 2)));
            probability.AsSpan(before).Fill(double.NaN);
        }
        probability[slot] = value;
    }

    /// <summary>The shadow's probability; NaN where it has not scored yet.</summary>
    public double Of(int slot) => slot < probability.Length ? probability[slot] : double.NaN;
}
