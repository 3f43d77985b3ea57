using Collections.Grpc.Tests.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Grpc.Tests;

/// <summary>Does what the request says; what happened to its calls can be awaited.</summary>
public sealed class EchoService : Echo.EchoBase
{
    private readonly TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a call saw that its caller gave it up.</summary>
    public Task Cancelled => cancelled.Task;

    /// <summary>The deadline that the last call had.</summary>
    public DateTime LastDeadline { get; private set; }

    /// <summary>Where the last call came from.</summary>
    public string LastPeer { get; private set; } = "";

    /// <inheritdoc/>
    public override async Task<EchoReply> Unary(EchoRequest request, ServerCallContext context)
    {
        await BehaveAsync(request, context);
        return Reply(request, index: 0);
    }

    /// <inheritdoc/>
    public override async Task ServerStream(
        EchoRequest request, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        for (var i = 0; i < request.Count; i++)
            await responseStream.WriteAsync(Reply(request, i));
        await BehaveAsync(request, context);
    }

    /// <inheritdoc/>
    public override async Task<EchoReply> ClientStream(IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
    {
        var reply = new EchoReply();
        await foreach (var request in requestStream.ReadAllAsync())
        {
            await BehaveAsync(request, context);
            reply.Text += request.Text;
            reply.Index++;
            reply.RequestPayloadBytes += request.Payload.Length;
        }

        return reply;
    }

    /// <inheritdoc/>
    public override async Task Duplex(
        IAsyncStreamReader<EchoRequest> requestStream, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        var index = 0;
        await foreach (var request in requestStream.ReadAllAsync())
        {
            await BehaveAsync(request, context);
            await responseStream.WriteAsync(Reply(request, index++));
        }
    }

    private async Task BehaveAsync(EchoRequest request, ServerCallContext context)
    {
        LastDeadline = context.Deadline;
        LastPeer = context.Peer;
        switch (request.Behaviour)
        {
            case Behaviour.Fail:
                context.ResponseTrailers.Add("x-reason", "asked to");
                throw new RpcException(
                    new Status((StatusCode)request.StatusCode, request.Text),
                    new Metadata { { "x-detail-bin", new byte[] { 1, 2, 255 } } });
            case Behaviour.Throw:
                throw new InvalidOperationException("the secret of the server");
            case Behaviour.WaitForCancellation:
                await UntilCancelledAsync(context.CancellationToken);
                break;
            case Behaviour.Metadata:
                await EchoMetadataAsync(context);
                break;
            default:
                break;
        }
    }

    private async Task UntilCancelledAsync(CancellationToken cancellationToken)
    {
        var signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellationToken.Register(signal.SetResult))
            await signal.Task;
        cancelled.TrySetResult();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static Task EchoMetadataAsync(ServerCallContext context)
    {
        var headers = new Metadata();
        foreach (var entry in context.RequestHeaders.Where(entry => entry.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            headers.Add(entry);
            context.ResponseTrailers.Add(entry.IsBinary
                ? new Metadata.Entry("trailing-" + entry.Key, entry.ValueBytes)
                : new Metadata.Entry("trailing-" + entry.Key, entry.Value));
        }

        return context.WriteResponseHeadersAsync(headers);
    }

    private static EchoReply Reply(EchoRequest request, int index) => new()
    {
        Text = request.Text,
        Index = index,
        RequestPayloadBytes = request.Payload.Length,
        Payload = request.ReplyBytes == 0 ? ByteString.Empty : UnsafeByteOperations.UnsafeWrap(new byte[request.ReplyBytes]),
    };
}
