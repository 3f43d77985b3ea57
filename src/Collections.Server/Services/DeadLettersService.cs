using System.Globalization;
using Collections.Domain.Events;
using Collections.Engine.Hosting;
using Collections.Engine.Logs;
using Collections.Engine.Stores;
using Collections.Server.Access;
using Collections.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Server.Services;

/// <summary>Records that could not be applied: listed, put back, given up.</summary>
public sealed class DeadLettersService(Node node) : DeadLetters.DeadLettersBase
{
    private const int CountDefault = 100, CountMax = 1_000;

    /// <summary>The longest reason for giving up a letter, in characters: a sentence or two.</summary>
    private const int ReasonCharsMax = 500;

    public override Task<ListDeadLettersResponse> List(ListDeadLettersRequest request, ServerCallContext context)
    {
        if (request.Count is < 0 or > CountMax)
            throw Wire.Invalid("count", $"must be 0 (the default of {CountDefault}) to {CountMax}", request.Count);
        (int, long) after = request.After.Length == 0 ? (0, 0) : Place("after", request.After);
        var response = new ListDeadLettersResponse();
        response.Letters.Add(Guard(() => node.DeadLetters.List(after, request.Settled, request.Count == 0 ? CountDefault : request.Count)).Select(Describe));
        return Task.FromResult(response);
    }

    public override async Task<V1.DeadLetter> Replay(ReplayDeadLetterRequest request, ServerCallContext context)
    {
        PlacedDeadLetter letter = Open(request.Id);
        byte[] content = request.Event?.ToByteArray() ?? letter.Stored.Letter.Content;
        try
        {
            if (await node.DeadLetters.ReplayAsync(letter, content, AccessPoint.NameOf(context), context.CancellationToken) is { } refused)
                throw new RpcException(new Status(StatusCode.InvalidArgument, $"event: {refused}; mend it and put it back then"));
        }
        catch (Exception failure) when (failure is LogUnavailableException or StoreUnavailableException)
        {
            throw Wire.Unavailable(failure);
        }
        return Describe(Find(request.Id));
    }

    public override Task<V1.DeadLetter> Discard(DiscardDeadLetterRequest request, ServerCallContext context)
    {
        if (request.Reason.Length is 0 or > ReasonCharsMax)
            throw Wire.Invalid("reason", $"must be 1 to {ReasonCharsMax} characters that say why", request.Reason);
        PlacedDeadLetter letter = Open(request.Id);
        if (!Guard(() => node.DeadLetters.Discard(letter, request.Reason, AccessPoint.NameOf(context))))
            throw Settled(Find(request.Id));
        return Task.FromResult(Describe(Find(request.Id)));
    }

    private PlacedDeadLetter Open(string id)
    {
        PlacedDeadLetter letter = Find(id);
        return letter.IsOpen ? letter : throw Settled(letter);
    }

    private PlacedDeadLetter Find(string id)
    {
        (int partition, long number) = Place("id", id);
        return Guard(() => node.DeadLetters.Find(partition, number)) ?? throw new RpcException(new Status(StatusCode.NotFound, $"there is no dead letter '{id}'"));
    }

    private static RpcException Settled(PlacedDeadLetter letter) =>
        new(new Status(StatusCode.FailedPrecondition, $"dead letter '{IdOf(letter)}' has been settled: {letter.Stored.Settled}"));

    private static (int Partition, long Number) Place(string field, string id)
    {
        string[] parts = id.Split('-');
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int partition)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? (partition, number)
            : throw Wire.Invalid(field, "must be a partition and a number, such as 3-17", id);
    }

    private static string IdOf(PlacedDeadLetter letter) => string.Create(CultureInfo.InvariantCulture, $"{letter.Partition}-{letter.Stored.Number}");

    private static V1.DeadLetter Describe(PlacedDeadLetter letter)
    {
        Engine.Stores.DeadLetter dead = letter.Stored.Letter;
        var view = new V1.DeadLetter
        {
            Id = IdOf(letter),
            At = Wire.Instant(dead.AtMs),
            Stream = IngestService.NameOf((EventStream)dead.Stream),
            Offset = dead.Offset,
            Reason = dead.Reason,
            Record = ByteString.CopyFrom(dead.Content),
            Settled = letter.Stored.Settled,
        };
        if (!letter.IsOpen)
            view.SettledAt = Wire.Instant(letter.Stored.SettledMs);
        try
        {
            view.Event = V1.Event.Parser.ParseFrom(dead.Content);
        }
        catch (InvalidProtocolBufferException)
        {
            // It is no event at all; the record says what came.
        }
        return view;
    }

    private static T Guard<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (StoreUnavailableException failure)
        {
            throw Wire.Unavailable(failure);
        }
    }
}
