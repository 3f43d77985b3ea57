using Collections.Engine.Partitions;
using Collections.Engine.Scoring;

namespace Collections.Engine.Hosting;

/// <summary>A partition that is not in the figures of a survey.</summary>
/// <param name="IsPassing">Whether it may be otherwise in a moment: it is on its way to another node.</param>
public readonly record struct SilentPartition(int Partition, string Reason, bool IsPassing = false);

/// <summary>
/// Looks through the partitions that run here for how models do: one partition after another, some debtors at a time, while events and pulls go on. A partition
/// is in the tally whole, or it is silent with the reason.
/// </summary>
public sealed class ModelSurveys(Node node)
{
    /// <summary>Holds the active propensity model against its shadow, over the debtors and queues of a tenant.</summary>
    /// <param name="end">Partitions that have not been looked through by then are silent.</param>
    /// <returns>Those of the partitions that are not in the tally.</returns>
    public Task<IReadOnlyList<SilentPartition>> CompareAsync(IEnumerable<int> partitions, string tenant, ComparisonTally into, CancellationToken end) =>
        LeadAsync(partitions, async number =>
        {
            int queues = await node.Ask(number, partition => partition.Survey.QueueCount(tenant)).WaitAsync(end);
            if ((long)queues * into.Head * 2 > Limits.ComparedEntriesMax)
                throw new InvalidOperationException($"its {queues} queues have more than {Limits.ComparedEntriesMax:N0} places in two heads of {into.Head:N0}; ask for a smaller head");
            var tally = new ComparisonTally(into.Head);
            await StepAsync(number, (partition, from) => partition.Survey.Compare(from, tenant, tally), end);
            into.Merge(tally);
        });

    /// <summary>How far the book has moved away from what a model was trained on, and what came of its predictions.</summary>
    /// <inheritdoc cref="CompareAsync"/>
    public async Task<IReadOnlyList<SilentPartition>> WatchAsync(IReadOnlyCollection<int> partitions, HealthTally into, CancellationToken end)
    {
        IReadOnlyList<SilentPartition> silent = await LeadAsync(partitions, async number =>
        {
            var tally = new HealthTally(into.Model);
            if (tally.Drift.HasBaseline)
                await StepAsync(number, (partition, from) => partition.Survey.Measure(from, into.Model.Target, tally.Drift), end);
            tally.Add(number, await node.Ask(number, static partition => partition.View.Outcomes()).WaitAsync(end));
            into.Merge(tally);
        });
        if (!node.Owned.Except(partitions).Any())
            node.Models.OnWatched(into);
        return silent;
    }

    private static async Task<IReadOnlyList<SilentPartition>> LeadAsync(IEnumerable<int> partitions, Func<int, Task> look)
    {
        var silent = new List<SilentPartition>();
        foreach (int number in partitions)
        {
            try
            {
                await look(number);
            }
            catch (PartitionElsewhereException elsewhere)
            {
                silent.Add(new SilentPartition(number, elsewhere.Message, IsPassing: true));
            }
            catch (InvalidOperationException failure)
            {
                silent.Add(new SilentPartition(number, failure.Message));
            }
            catch (OperationCanceledException)
            {
                silent.Add(new SilentPartition(number, "it was not looked through by the deadline; give the call more time"));
            }
        }
        return silent;
    }

    /// <summary>Leads one step after another through a partition; a tally that was left half-way is not to be used.</summary>
    private async Task StepAsync(int number, Func<Partition, int, int> step, CancellationToken end)
    {
        for (int from = 0; from >= 0;)
        {
            int at = from;
            from = await node.Ask(number, partition => step(partition, at)).WaitAsync(end);
        }
    }
}
