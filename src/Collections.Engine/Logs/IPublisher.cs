using Collections.Engine.Stores;

namespace Collections.Engine.Logs;

/// <summary>
/// Where messages of the outbox go: topics beside those of the log. Contract: of the rows of one partition and kind that it was given, one call after the
/// other, those that can be seen outside are at any time a beginning, in their order; only repeats may come out of it. Consumers rely on that to
/// drop what comes again: what they see for the first time has the next number.
/// </summary>
public interface IPublisher
{
    /// <summary>
    /// Publishes rows, which follow each other, and completes when all of them are acknowledged. While nobody can be reached it may take as long as that lasts.
    /// The next call for the same partition and kind comes after the completion. Any thread.
    /// </summary>
    /// <exception cref="LogUnavailableException">A beginning of them may be published; to be tried again from the first.</exception>
    Task PublishAsync(int partition, OutboxKind kind, IReadOnlyList<OutboxRow> rows);
}
