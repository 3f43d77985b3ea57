using Collections.Domain.Events;
using Collections.Engine.Queues;
using FsCheck;
using FsCheck.Fluent;

namespace Collections.Engine.Tests.Queues;

/// <summary>The queue against a list that is sorted anew each time.</summary>
public sealed class RankedQueueTests
{
    private const int Debtors = 24;

    /// <summary>Few values, so that they meet; among them the smallest, the largest, and neighbours that share a bucket.</summary>
    private static readonly double[] Values =
    [
        0, double.Epsilon, 1e-300, 0.01, 1, 1.0000001, 1.01, 100, 100.5, 101, 127.99, 128, 12_345.67, 12_345.68, 1e12, 1e38, 3.5e38, 1e300, double.MaxValue,
    ];

    [Fact]
    public void The_head_is_that_of_a_sorted_list_whatever_was_done()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<int[]>(), numbers => Walk(numbers)).QuickCheckThrowOnFailure();
        // Longer walks than the generator likes to make; the seed is the walk.
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            Assert.True(Walk([.. Enumerable.Range(0, 400).Select(_ => random.Next())]), $"seed {seed}");
        }
    }

    [Fact]
    public void Equal_values_go_by_the_moment_of_eligibility_and_then_by_key()
    {
        using var book = new Book();
        using var queue = new RankedQueue(book.Table, 1, 1, 0, Channel.Voice);
        queue.Add(book.Add("late"), 5, eligibleSinceMs: 30);
        queue.Add(book.Add("b"), 5, eligibleSinceMs: 10);
        queue.Add(book.Add("a"), 5, eligibleSinceMs: 10);
        queue.Add(book.Add("A"), 5, eligibleSinceMs: 10);
        queue.Add(book.Add("best"), 5.000001, eligibleSinceMs: 99);
        Assert.Equal(["best", "A", "a", "b", "late"], Names(book, queue, 9));
    }

    [Fact]
    public void A_new_value_keeps_the_moment_of_eligibility_within_and_across_buckets()
    {
        using var book = new Book();
        using var queue = new RankedQueue(book.Table, 1, 1, 0, Channel.Voice);
        int first = book.Add("first"), second = book.Add("second");
        queue.Add(first, 1_000, eligibleSinceMs: 1);
        queue.Add(second, 1_000, eligibleSinceMs: 2);
        queue.Update(second, 1_000.01);
        Assert.Equal(["second", "first"], Names(book, queue, 2));
        queue.Update(second, 3);
        Assert.Equal(["first", "second"], Names(book, queue, 2));
        queue.Update(second, 1_000);
        Assert.Equal(["first", "second"], Names(book, queue, 2));
        Assert.Equal(2, book.Table.Standing(second).EligibleSinceMs);
    }

    [Fact]
    public void An_empty_queue_has_no_head()
    {
        using var book = new Book();
        using var queue = new RankedQueue(book.Table, 1, 1, 0, Channel.Voice);
        Assert.Empty(Names(book, queue, 5));
        int slot = book.Add("only");
        queue.Add(slot, double.MaxValue, 0);
        queue.Remove(slot);
        Assert.Empty(Names(book, queue, 5));
        Assert.Equal(0, queue.Count);
        Assert.Equal(0, book.Table.Standing(slot).Queue);
    }

    private static bool Walk(int[] numbers)
    {
        using var book = new Book();
        using var queue = new RankedQueue(book.Table, 1, 1, 0, Channel.Voice);
        int[] slots = [.. Enumerable.Range(0, Debtors).Select(i => book.Add($"d{i}"))];
        var expected = new Dictionary<int, (double Value, long Since)>();
        foreach (int number in numbers)
        {
            var random = new Random(number);
            int slot = slots[random.Next(Debtors)];
            double value = random.Next(4) == 0 ? random.NextDouble() * 500 : Values[random.Next(Values.Length)];
            if (!expected.TryGetValue(slot, out (double Value, long Since) before))
            {
                long since = random.Next(3);
                queue.Add(slot, value, since);
                expected[slot] = (value, since);
            }
            else if (random.Next(3) == 0)
            {
                queue.Remove(slot);
                expected.Remove(slot);
            }
            else
            {
                queue.Update(slot, value);
                expected[slot] = (value, before.Since);
            }
            IEnumerable<string> sorted = expected
                .OrderByDescending(e => e.Value.Value).ThenBy(e => e.Value.Since).ThenBy(e => book.NameOf(e.Key), StringComparer.Ordinal).Select(e => book.NameOf(e.Key));
            int count = random.Next(Debtors + 2);
            if (queue.Count != expected.Count || !Names(book, queue, count).SequenceEqual(sorted.Take(count)))
                return false;
            double atLeast = Values[random.Next(Values.Length)];
            int worth = expected.Count(e => e.Value.Value >= atLeast);
            if (!Names(book, queue, count, atLeast).SequenceEqual(sorted.Take(Math.Min(count, worth))))
                return false;
        }
        return true;
    }

    private static List<string> Names(Book book, RankedQueue queue, int count, double atLeast = 0)
    {
        var names = new List<string>();
        foreach (ref readonly RankedEntry entry in queue.Best(count, atLeast))
            names.Add(book.NameOf(entry.Slot));
        return names;
    }
}
