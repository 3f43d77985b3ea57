using Collections.Domain.Events;

namespace Collections.Engine.Logs;

/// <summary>What who keeps an archive has noted of one partition, beside its records.</summary>
/// <param name="Through">What its source had before is here, save what is lost: offsets that are missing there are missing in the source, too.</param>
/// <param name="IsBehind">The source has gone on behind the archive's end: others run the partition, or it has not been fetched to its end.</param>
/// <param name="Lost">What the source did not have any more when it was asked for, and what is not here either.</param>
public sealed record ArchiveNote(StreamPositions Through, bool IsBehind, IReadOnlyList<LostPiece> Lost)
{
    /// <summary>Of a partition that is begun with.</summary>
    public static readonly ArchiveNote New = new(StreamPositions.Start, IsBehind: false, []);

    /// <summary>The same without these pieces.</summary>
    public ArchiveNote Without(IEnumerable<LostPiece> pieces) => this with { Lost = [.. Lost.Union(pieces)] };

    /// <summary>The same with a piece that was found after all; itself, if it was not noted as lost.</summary>
    public ArchiveNote With(LostPiece found) => Lost.Any(lost => lost.Stream == found.Stream && lost.From < found.To && found.From < lost.To)
        ? this with { Lost = [.. Lost.SelectMany(lost => lost.Except(found))] }
        : this;
}

/// <summary>Records of a stream that nobody can fetch any more: those from one offset to before the other.</summary>
public readonly record struct LostPiece(EventStream Stream, long From, long To)
{
    /// <summary>Whether the other lies within it.</summary>
    public bool Covers(LostPiece other) => Stream == other.Stream && From <= other.From && other.To <= To;

    /// <summary>What is left of it without the other: none, one or two pieces.</summary>
    public IEnumerable<LostPiece> Except(LostPiece other)
    {
        if (Stream != other.Stream || other.To <= From || To <= other.From)
            return [this];
        LostPiece before = this with { To = other.From }, behind = this with { From = other.To };
        return ((LostPiece[])[before, behind]).Where(static piece => piece.From < piece.To);
    }

    public override string ToString() => $"{Stream.ToString().ToLowerInvariant()} {From} to {To - 1}";
}
