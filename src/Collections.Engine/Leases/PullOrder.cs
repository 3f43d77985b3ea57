using Collections.Engine.Queues;

namespace Collections.Engine.Leases;

/// <summary>What a caller wants from a queue.</summary>
/// <param name="Count">1 to <see cref="Limits.PullMax"/>.</param>
/// <param name="RequestId">The caller's own; a retry with the same id gets the same leases. Empty: no retries.</param>
/// <param name="LeaseMs">How long the leases last, in milliseconds.</param>
/// <param name="WithReasons">Whether the reasons of each action's score are found and kept with its lease.</param>
public sealed record PullOrder(string Tenant, QueueName Queue, int Count, string Caller, string RequestId, long LeaseMs, bool WithReasons = true);
