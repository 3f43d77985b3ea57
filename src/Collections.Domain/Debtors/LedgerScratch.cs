namespace Collections.Domain.Debtors;

/// <summary>Working space that a fold uses and forgets; it is owned by a pool, and so used by one thread.</summary>
internal sealed class LedgerScratch
{
}
