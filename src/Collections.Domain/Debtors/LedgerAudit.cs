using Collections.Domain.Events;

namespace Collections.Domain.Debtors;

/// <summary>Checks and compares ledgers from outside the fold.</summary>
internal static class LedgerAudit
{
    /// <summary>
    /// Per item: what was charged less what was allocated and written off is what is open; per payment: what came in is allocated, held
    /// or credit. Items are of one component and one currency each, so this holds per component and currency too.
    /// </summary>
    public static bool Balances(ref HotState s)
    {
        LedgerFold.Ensure(ref s);
        for (int i = 0; i < s.ItemCount; i++)
        {
            if (!ItemBalances(s, i))
                return false;
        }
        for (int i = 0; i < s.PaymentCount; i++)
        {
            if (!PaymentBalances(s, i))
                return false;
        }
        return true;
    }

    /// <summary>Over the names and amounts of open items and of payments with credit; equal for equal ledgers, however they came about.</summary>
    public static ulong Digest(ref HotState s)
    {
        LedgerFold.Ensure(ref s);
        ulong digest = 0;
        foreach (ref readonly ItemEntry item in s.Items)
        {
            if (item.Open > 0)
                digest += Hash64.Of(s.Text(item.Text), (ulong)item.Open);
        }
        for (int i = 0; i < s.PaymentCount; i++)
        {
            ref readonly PaymentEntry payment = ref s.Payment(i);
            long credit = payment.Credit + Held(s, i);
            if (credit > 0)
                digest += Hash64.Of(s.Text(payment.Text), ~(ulong)credit);
        }
        return digest;
    }

    private static bool ItemBalances(in HotState s, int index)
    {
        ref readonly ItemEntry item = ref s.Item(index);
        if (!item.Has(ItemEntry.Issued) || item.Has(ItemEntry.Cancelled))
            return item.Open == 0 && Sum(s.Allocations, index) == 0;
        bool inBase = item.Has(ItemEntry.InBase);
        long charged = item.Amount;
        if (inBase)
            charged = (item.Has(ItemEntry.BaseSettled) ? 0 : item.BaseOpen) + Sum(s.BaseAllocations, index);
        foreach (ref readonly AmendmentEntry amendment in s.Amendments)
        {
            if (amendment.Kind == EventKind.ItemAdjusted && amendment.On <= s.R.FoldedDay && amendment.On >= item.IssuedOn
                && amendment.Currency == item.Currency && s.Text(amendment.Text).SequenceEqual(s.Text(item.Text)))
                charged += amendment.Value;
        }
        return item.Open >= 0 && item.Open == Math.Max(0, charged) - Sum(s.Allocations, index);
    }

    private static bool PaymentBalances(in HotState s, int index)
    {
        ref readonly PaymentEntry payment = ref s.Payment(index);
        long held = Held(s, index);
        long allocated = 0, before = 0, heldBefore = 0;
        foreach (ref readonly AllocationEntry allocation in s.Allocations)
            allocated += allocation.Payment == index ? allocation.Amount : 0;
        foreach (ref readonly AllocationEntry allocation in s.BaseAllocations)
            before += allocation.Payment == index ? allocation.Amount : 0;
        foreach (ref readonly InstructionEntry instruction in s.Instructions)
            heldBefore += instruction.Payment == index && (instruction.Bits & InstructionEntry.InBase) != 0 ? instruction.Amount : 0;
        bool counts = payment.Has(PaymentEntry.InBase) || payment.Has(PaymentEntry.Taken);
        long paid = counts ? payment.Amount + before + heldBefore : 0;
        return payment.Credit >= 0 && held >= 0 && payment.Credit + held + allocated == paid;
    }

    private static long Held(in HotState s, int payment)
    {
        long held = 0;
        foreach (ref readonly InstructionEntry instruction in s.Instructions)
            held += instruction.Payment == payment ? instruction.Held : 0;
        return held;
    }

    private static long Sum(ReadOnlySpan<AllocationEntry> allocations, int item)
    {
        long sum = 0;
        foreach (ref readonly AllocationEntry allocation in allocations)
            sum += allocation.Item == item ? allocation.Amount : 0;
        return sum;
    }
}
