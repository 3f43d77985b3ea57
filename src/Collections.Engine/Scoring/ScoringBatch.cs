using Collections.Domain.Debtors;
using Collections.Scoring;

namespace Collections.Engine.Scoring;

/// <summary>Rows of one model that are scored together, and their scores. Rows whose codes have not changed are not scored again. One thread.</summary>
internal sealed class ScoringBatch
{
    private readonly Ensemble ensemble;
    private readonly int width;
    private readonly int codeBytes;
    private readonly double[] rows;
    private readonly byte[] codes;
    private readonly byte[] changedCodes;
    private readonly int[] changed = new int[Limits.EvaluationBatch];
    private readonly double[] changedRaw = new double[Limits.EvaluationBatch];
    private readonly double[] raw = new double[Limits.EvaluationBatch];
    private readonly double[] probability = new double[Limits.EvaluationBatch];
    private readonly ScoreMemo? memo;

    public ScoringBatch(ScoringModel model)
    {
        Model = model;
        ensemble = model.Ensemble;
        width = ensemble.FeatureCount;
        codeBytes = ensemble.CodeBytes;
        rows = new double[Limits.EvaluationBatch * width];
        codes = new byte[Limits.EvaluationBatch * codeBytes];
        changedCodes = new byte[Limits.EvaluationBatch * codeBytes];
        // Codes longer than a cache line or two cost more to keep than they save.
        memo = codeBytes is > 0 and <= Limits.MemoCodeBytesMax ? new ScoreMemo(codeBytes) : null;
    }

    public ScoringModel Model { get; }

    public ReadOnlySpan<double> Raw => raw;

    public ReadOnlySpan<double> Probability => probability;

    /// <summary>Rows that were not scored again because their codes had not changed.</summary>
    public long SkipCount { get; private set; }

    /// <summary>Bytes kept to know them by.</summary>
    public long MemoBytes => memo?.Bytes ?? 0;

    /// <summary>Takes a debtor's features as row <paramref name="index"/>.</summary>
    public void Put(int index, ReadOnlySpan<double> catalogue, in Debtor debtor) => Model.Gather(catalogue, debtor, rows.AsSpan(index * width, width));

    /// <summary>Scores the first rows.</summary>
    /// <param name="slots">The debtors of the rows; the same debtor is not in a batch twice.</param>
    public void Run(ReadOnlySpan<int> slots)
    {
        if (memo is null)
            ensemble.PredictRaw(rows.AsSpan(0, slots.Length * width), slots.Length, raw);
        else
            RunChanged(slots, memo);
        Model.Probabilities(raw, slots.Length, probability);
    }

    private void RunChanged(ReadOnlySpan<int> slots, ScoreMemo known)
    {
        ensemble.Encode(rows.AsSpan(0, slots.Length * width), slots.Length, codes);
        int count = 0;
        for (int i = 0; i < slots.Length; i++)
        {
            ReadOnlySpan<byte> code = codes.AsSpan(i * codeBytes, codeBytes);
            if (known.TryFind(slots[i], code, out raw[i]))
                continue;
            code.CopyTo(changedCodes.AsSpan(count * codeBytes));
            changed[count++] = i;
        }
        SkipCount += slots.Length - count;
        ensemble.PredictCodes(changedCodes.AsSpan(0, count * codeBytes), count, changedRaw);
        for (int k = 0; k < count; k++)
        {
            raw[changed[k]] = changedRaw[k];
            known.Keep(slots[changed[k]], changedCodes.AsSpan(k * codeBytes, codeBytes), changedRaw[k]);
        }
    }
}
