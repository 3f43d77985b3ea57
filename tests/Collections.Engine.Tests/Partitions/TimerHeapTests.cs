using Collections.Engine.Partitions;

namespace Collections.Engine.Tests.Partitions;

public sealed class TimerHeapTests
{
    [Fact]
    public void Timers_come_in_the_order_of_due_then_key_then_slot_whatever_the_order_of_arrival()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var heap = new TimerHeap();
            var expected = new List<(long Due, ulong Key, int Slot)>();
            for (int step = 0; step < 500; step++)
            {
                if (random.Next(3) > 0 || expected.Count == 0)
                {
                    (long Due, ulong Key, int Slot) timer = (random.Next(20), (ulong)random.Next(5) << 61, random.Next(4));
                    heap.Add(timer.Due, timer.Key, timer.Slot);
                    expected.Add(timer);
                    expected.Sort();
                }
                else
                {
                    (long Due, ulong _, int Slot) first = expected[0];
                    expected.RemoveAt(0);
                    Assert.True((first.Due, first.Slot) == heap.Take(), $"seed {seed}, step {step}");
                }
                Assert.Equal(expected.Count, heap.Count);
                Assert.Equal(expected.Count == 0 ? long.MaxValue : expected[0].Due, heap.NextMs);
            }
        }
    }
}
