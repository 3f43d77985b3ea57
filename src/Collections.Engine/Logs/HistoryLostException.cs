namespace Collections.Engine.Logs;

/// <summary>
/// Part of a partition's past is gone from its log for good, so that no debtor's history can be told whole. What is left has been read all the same.
/// The message says what is lost and what to do.
/// </summary>
public sealed class HistoryLostException : Exception
{
    public HistoryLostException(string message)
        : base(message)
    {
    }

    public HistoryLostException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public HistoryLostException()
    {
    }
}
