using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Server.Cluster;

/// <summary>The archive of another node, over gRPC.</summary>
internal sealed class PeerArchive(Peer peer) : IOtherArchive
{
    public string Name => peer.Address;

    public long Copy(int partition, LostPiece piece, Func<AppendBatch, long, bool> take, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var request = new PeerArchiveRequest { Partition = partition, Stream = (int)piece.Stream, From = piece.From, To = piece.To };
        using AsyncServerStreamingCall<PeerArchivePart> call = peer.ReadArchive(request, new CallOptions(cancellationToken: patience.Token));
        var batch = new AppendBatch();
        long begins = piece.To, reached = piece.From;
        while (reached < piece.To && Next(call, patience) is { } part)
        {
            if (reached == piece.From)
                begins = part.From;
            if (begins > piece.From)
                return begins;
            Read(part, partition, piece with { From = reached }, batch);
            reached = part.To;
            if (!take(batch, reached))
                break;
            batch.Clear();
        }
        return begins;
    }

    /// <summary>The parts of the answer to a request.</summary>
    public static IEnumerable<PeerArchivePart> Write(IArchivedLog log, int partition, LostPiece piece)
    {
        var batch = new AppendBatch();
        for (long at = piece.From; at < piece.To;)
        {
            ArchivePart held = log.ReadPiece(partition, piece with { From = at }, ClusterLimits.ArchivePartBytes, batch);
            // Behind what was sent lies a hole.
            if (held.From > at && at > piece.From)
                yield break;
            var part = new PeerArchivePart { From = at > piece.From ? piece.From : held.From, To = held.To };
            for (int i = 0; i < batch.Count; i++)
                part.Records.Add(Write(batch, i));
            batch.Clear();
            yield return part;
            if (held.From > at)
                yield break;
            at = held.To;
        }
    }

    private static PeerArchived Write(AppendBatch batch, int index) => new()
    {
        Offset = batch.OffsetOf(index),
        DebtorHash = batch.DebtorHashOf(index),
        KnownMs = batch.KnownMsOf(index),
        History = batch.IsHistory(index),
        Content = ByteString.CopyFrom(batch.ContentOf(index)),
    };

    /// <param name="rest">What is still to come.</param>
    private static void Read(PeerArchivePart part, int partition, LostPiece rest, AppendBatch into)
    {
        long next = rest.From;
        foreach (PeerArchived record in part.Records)
        {
            if (record.Offset < next || record.Offset >= part.To)
                throw Nonsense();
            into.Add(partition, rest.Stream, record.DebtorHash, record.KnownMs, record.History, record.Content.Span);
            into.SetOffset(into.Count - 1, record.Offset);
            next = record.Offset + 1;
        }
        if (part.To <= rest.From || part.To > rest.To)
            throw Nonsense();

        LogUnavailableException Nonsense() => new($"what it sent lies not in {rest.From} to {rest.To - 1}, or is out of order");
    }

    /// <summary>The next part; null: there are no more.</summary>
    private static PeerArchivePart? Next(AsyncServerStreamingCall<PeerArchivePart> call, CancellationTokenSource patience)
    {
        try
        {
            patience.CancelAfter(ClusterLimits.ArchivePartTime);
            bool comes = call.ResponseStream.MoveNext(patience.Token).GetAwaiter().GetResult();
            // What takes it may take its time.
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            return comes ? call.ResponseStream.Current : null;
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            throw new LogUnavailableException((failure as RpcException)?.Status.Detail ?? $"it did not answer: {failure.Message}", failure);
        }
    }
}
