namespace Collections.Engine.Hosting;

/// <summary>This node does not run the partition, or not any more: whoever does can be asked, and who is asked again soon may know.</summary>
public sealed class PartitionElsewhereException(int partition) : InvalidOperationException(
    $"partition {partition} is not run by this node; it is run by another one, or on its way to one: try again")
{
    public int Partition { get; } = partition;
}
