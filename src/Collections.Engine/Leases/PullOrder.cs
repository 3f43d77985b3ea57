using Collections.Engine.Queues;

namespace Collections.Engine.Leases;

/// <summary>What a caller wants from a queue.</summary>
/// <param name="Count">1 to <see cref="Limits.PullMax"/>.</param>
/// <param name="RequestId">The caller's own; a retry with the same id gets the same leases. Empty: no retries.</param>
/// <param name="LeaseMs">How long the leases last, in milliseconds.</param>
public sealed record PullOrder(string Tenant, QueueName Queue, int Count, string Caller, string RequestId, long LeaseMs);
