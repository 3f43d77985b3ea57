namespace Collections.Scoring;

/// <summary>Every maximum of this project, each with the arithmetic or the reason behind it.</summary>
public static class Limits
{
    /// <summary>
    /// Longest model text, in characters. The largest model seen in practice (10,000 trees × 255 leaves) is about 250 MB;
    /// half a gibi-character keeps every offset in an <see cref="int"/> with room to spare.
    /// </summary>
    public const int ModelTextCharsMax = 512 * 1024 * 1024;

    /// <summary>Most trees in a model: 10,000 iterations × 10 classes, which is far beyond what is ever deployed.</summary>
    public const int TreesMax = 100_000;

    /// <summary>Most leaves in one tree: the maximum that LightGBM itself allows for <c>num_leaves</c>.</summary>
    public const int LeavesPerTreeMax = 131_072;

    /// <summary>
    /// Most leaves in a whole model. A leaf costs about 32 bytes in the compiled form (two 8-byte nodes and their values),
    /// so this bounds an ensemble to 1 GiB.
    /// </summary>
    public const int LeavesMax = 32 * 1024 * 1024;

    /// <summary>Most features: a row is then 8 MB, beyond which a dense row is the wrong form anyway.</summary>
    public const int FeaturesMax = 1_000_000;

    /// <summary>Most classes (outputs) of a multiclass model.</summary>
    public const int OutputsMax = 10_000;

    /// <summary>
    /// Longest quotation of an invalid value in an error message, in characters: enough to find it, short enough for a log line.
    /// </summary>
    public const int QuotedValueCharsMax = 60;

    /// <summary>Longest manifest, in characters: 1,000 features with 50 bins each are about 1 MB.</summary>
    public const int ManifestCharsMax = 16 * 1024 * 1024;

    /// <summary>Most edges of a distribution's bins: deciles need 9, a watch by percentiles 99.</summary>
    public const int BinEdgesMax = 1_000;

    /// <summary>Most points of a calibration: an isotonic regression of a million rows ends in a few hundred.</summary>
    public const int CalibrationPointsMax = 100_000;

    /// <summary>Longest horizon of a model, in days: ten years.</summary>
    public const int HorizonDaysMax = 3_650;

    /// <summary>
    /// The least share that a bin counts as in a stability index: an empty bin would make the logarithm infinite; 0.0001 is one row in ten thousand.
    /// </summary>
    public const double ShareFloor = 1e-4;

    /// <summary>Rows that are walked together through one tree; each needs one index register, and x64 has sixteen.</summary>
    internal const int LanesPerGroup = 8;

    /// <summary>Most rows ranked before they are walked: 8 groups of 8, so that a tree is loaded into L1 once for 64 rows.</summary>
    internal const int GroupsPerBlockMax = 8;

    /// <summary>
    /// Rank columns of one ensemble. A node holds column × 8 lanes in 16 bits, hence 65,536 / 8; one group's ranks are then
    /// 8,192 columns × 8 lanes × 2 bytes = 128 KiB of stack at most. Models beyond it take the plain path.
    /// </summary>
    internal const int RankColumnsMax = 65_536 / LanesPerGroup;

    /// <summary>Stack bytes for the ranks of a block where it holds more than one group: a third of an ordinary L2.</summary>
    internal const int RankBlockBytesMax = 64 * 1024;

    /// <summary>
    /// Rank columns of an ensemble that is scored by leaf masks: 1,024 columns × 64 lanes × 1 byte = 64 KiB of stack.
    /// </summary>
    internal const int LeafMaskColumnsMax = 1024;

    /// <summary>Leaves of a tree that is scored by leaf masks: a leaf's number must fit one byte.</summary>
    internal const int LeafMaskLeavesMax = 256;

    /// <summary>Leaves of a tree that is scored by tree masks: 32 bytes of mask, half a vector.</summary>
    internal const int TreeMaskLeavesMax = 256;

    /// <summary>
    /// Work on one byte of a tree mask. Numerical nodes give 8 + log₂ leaves at most, 16; sets of many categories take several
    /// steps each, and beyond twice as many a walk is as good.
    /// </summary>
    internal const int TreeMaskStepsPerByteMax = 32;

    /// <summary>
    /// Bytes of leaf masks a row of all trees: 32 Ki trees of 64 leaves. Lanes take up to 160 times as much, 40 MiB, and leaf values 64
    /// times, 16 MiB; so a file of a great many tiny trees beside one large one can't blow up.
    /// </summary>
    internal const int TreeMaskBytesMax = 256 * 1024;

    /// <summary>Rows that are held against a grove while it is in L1; their tables take 64 × 64 bytes = 4 KiB.</summary>
    internal const int TreeMaskBlockRowsMax = 64;

    /// <summary>Outputs of a model that is scored by tree masks: 64 rows × 64 outputs × 8 bytes = 32 KiB of stack for the sums.</summary>
    internal const int TreeMaskOutputsMax = 64;

    /// <summary>Most rows that are scored one by one by tree masks; more are scored as a group of eight with idle lanes.</summary>
    internal const int TreeMaskSingleRowsMax = 3;

    /// <summary>
    /// The least rows worth a block of leaf masks where the rest would be walked: a block of 64 costs about as much as 8 rows walked.
    /// </summary>
    internal const int LeafMaskRowsMin = 9;

    /// <summary>Most rows that are coded before they are scored: as many as a block of leaf masks or of tree masks takes.</summary>
    internal const int CodeBlockRowsMax = 64;

    /// <summary>Stack bytes for the codes of a block of rows, where it holds more than one.</summary>
    internal const int CodeBlockBytesMax = 64 * 1024;

    /// <summary>
    /// Largest rank, and so most thresholds of a feature. Codes take 16 bits and hold two values more, zero and NaN; 65,535 marks a
    /// leaf, so that no rank exceeds it and a leaf keeps pointing at itself.
    /// </summary>
    internal const int RankMax = 65_533;

    /// <summary>
    /// Entries in a model's tables of category × distinct split set: 4 Mi × 2 bytes = 8 MiB. Beyond it a table would miss
    /// every cache, and the plain path's bit sets are better.
    /// </summary>
    internal const int CategoryTableEntriesMax = 4 * 1024 * 1024;

    /// <summary>Categories below this are looked up directly (4 bytes each, 16 KiB a feature); larger codes by binary search.</summary>
    internal const int DirectCategoriesMax = 4096;

    /// <summary>
    /// Different features on one path of a tree whose contributions are computed: 64 take 32 points, the largest of which has
    /// t ÷ (1 − t) = 730, and 730 to the power of 64 is 10^183, within a double.
    /// </summary>
    internal const int ExplainedPathFeaturesMax = 64;

    /// <summary>Leaves of a tree whose contributions are computed: 16,384 × 32 points × 8 lanes × 8 bytes are 32 MiB of working memory.</summary>
    internal const int ExplainedLeavesPerTreeMax = 16_384;

    /// <summary>Numbers in the tables of one model's contributions: 64 Mi × 8 bytes = 512 MiB; 200 trees of 63 leaves take 0.3 Mi.</summary>
    internal const int ExplainerConstantsMax = 64 * 1024 * 1024;

    /// <summary>Contributions a row, (features + 1) × outputs: 16 Mi × 8 bytes = 128 MiB, beyond which a dense row is the wrong form.</summary>
    internal const int ContributionsMax = 16 * 1024 * 1024;

    /// <summary>Ranks and sums of the rows that are explained together: a small part of an ordinary L2, which a tree's products need too.</summary>
    internal const int ExplainerBlockBytesMax = 128 * 1024;

    /// <summary>Largest code of a reason: it is kept in two bytes with each action.</summary>
    internal const int ReasonCodeMax = ushort.MaxValue;
}
