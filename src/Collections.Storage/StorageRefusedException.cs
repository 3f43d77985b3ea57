namespace Collections.Storage;

/// <summary>The directory can't be opened as asked. The message says what to do; the host prints it and does not start.</summary>
public sealed class StorageRefusedException : Exception
{
    public StorageRefusedException()
    {
    }

    public StorageRefusedException(string message)
        : base(message)
    {
    }

    public StorageRefusedException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
