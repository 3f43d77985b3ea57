using System.Collections.Concurrent;
using Collections.Engine.Queues;

namespace Collections.Engine.Hosting;

/// <summary>
/// How queues are named in what is measured. Portfolios are made by whoever appends events, so their number is bounded here: the first
/// <see cref="Limits.MeteredQueuesMax"/> queues that are met keep names of their own while the node runs, and all others are one, "(other)".
/// </summary>
internal sealed class QueueLabels
{
    /// <summary>No portfolio's queue is called so: it has no slash.</summary>
    private const string Others = "(other)";

    private static readonly KeyValuePair<string, object?>[] Other = Tags(Others, Others);

    private readonly ConcurrentDictionary<(string Tenant, QueueName Queue), KeyValuePair<string, object?>[]> labels = new();

    /// <summary>The labels of a queue; the same array for the same queue.</summary>
    public KeyValuePair<string, object?>[] Of(string tenant, QueueName queue)
    {
        if (labels.TryGetValue((tenant, queue), out KeyValuePair<string, object?>[]? known))
            return known;
        return labels.Count >= Limits.MeteredQueuesMax ? Other : labels.GetOrAdd((tenant, queue), static key => Tags(key.Tenant, key.Queue.ToString()));
    }

    private static KeyValuePair<string, object?>[] Tags(string tenant, string queue) => [new("tenant", tenant), new("queue", queue)];
}
