using Collections.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Server.Tests.Services;

/// <summary>What could not be applied is listed with its reason, mended and put back, or given up; nothing is lost and nothing is settled twice.</summary>
public sealed class DeadLetterServiceTests
{
    [Fact]
    public async Task A_conflicting_payment_is_mended_and_put_back()
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await scene.OverdueAsync("ann", 50_000);
        await scene.AppendAsync(scene.Events.Paid("ann", "p", 20_000, scene.Today));
        await scene.AppendAsync(scene.Events.Paid("ann", "p", 5_000, scene.Today));
        await scene.Node.CheckpointAsync();
        DeadLetter letter = Assert.Single((await scene.DeadLetters.ListAsync(new ListDeadLettersRequest())).Letters);
        Assert.Equal(("payments", "ann", 5_000), (letter.Stream, letter.Event.Debtor, letter.Event.PaymentReceived.Amount.MinorUnits));
        Assert.StartsWith("id: an earlier event of this stream has the same id and other content", letter.Reason, StringComparison.Ordinal);

        Event mended = letter.Event.Clone();
        mended.Id = "p2";
        DeadLetter settled = await scene.DeadLetters.ReplayAsync(new ReplayDeadLetterRequest { Id = letter.Id, Event = mended });
        Assert.Equal("put back, mended, by loopback", settled.Settled);
        await scene.Node.SettleAsync();
        Assert.Equal(25_000, (await scene.GetAsync("ann")).OpenMinor);

        Assert.Empty((await scene.DeadLetters.ListAsync(new ListDeadLettersRequest())).Letters);
        Assert.Equal(settled, Assert.Single((await scene.DeadLetters.ListAsync(new ListDeadLettersRequest { Settled = true })).Letters));
        await FailsAsync(StatusCode.FailedPrecondition, "has been settled: put back, mended, by loopback", () => scene.DeadLetters.ReplayAsync(new ReplayDeadLetterRequest { Id = letter.Id }));
        await FailsAsync(StatusCode.FailedPrecondition, "has been settled", () => scene.DeadLetters.DiscardAsync(new DiscardDeadLetterRequest { Id = letter.Id, Reason = "no" }));
        await scene.RestartAsync();
        Assert.Empty((await scene.DeadLetters.ListAsync(new ListDeadLettersRequest())).Letters);
    }

    [Fact]
    public async Task A_record_that_is_no_event_is_shown_as_bytes_refused_as_it_is_and_given_up()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 2);
        byte[] poison = [0xff, 0xff, 0xff];
        await scene.WritePoisonAsync(1, Domain.Events.EventStream.Payments, poison);
        await scene.Node.CheckpointAsync();
        DeadLetter letter = Assert.Single((await scene.DeadLetters.ListAsync(new ListDeadLettersRequest())).Letters);
        Assert.Equal(("1-1", "payments", 0), (letter.Id, letter.Stream, letter.Offset));
        Assert.Null(letter.Event);
        Assert.Equal(poison, letter.Record.ToByteArray());
        await FailsAsync(StatusCode.InvalidArgument, "event: event: is no valid protobuf message", () => scene.DeadLetters.ReplayAsync(new ReplayDeadLetterRequest { Id = "1-1" }));
        await FailsAsync(StatusCode.InvalidArgument, "reason: must be 1 to 500 characters", () => scene.DeadLetters.DiscardAsync(new DiscardDeadLetterRequest { Id = "1-1" }));
        Assert.Equal("given up by loopback: line noise", (await scene.DeadLetters.DiscardAsync(new DiscardDeadLetterRequest { Id = "1-1", Reason = "line noise" })).Settled);
        Assert.Empty((await scene.DeadLetters.ListAsync(new ListDeadLettersRequest())).Letters);
    }

    [Fact]
    public async Task Letters_are_paged_over_the_partitions()
    {
        await using NodeScene scene = await NodeScene.StartAsync(partitions: 3);
        for (int i = 0; i < 12; i++)
            await scene.WritePoisonAsync(i % 3, Domain.Events.EventStream.Activity, [0xff, (byte)i]);
        await scene.Node.CheckpointAsync();
        var ids = new List<string>();
        for (string after = ""; ;)
        {
            ListDeadLettersResponse page = await scene.DeadLetters.ListAsync(new ListDeadLettersRequest { Count = 5, After = after });
            ids.AddRange(page.Letters.Select(letter => letter.Id));
            if (page.Letters.Count < 5)
                break;
            after = page.Letters[^1].Id;
        }
        Assert.Equal(["0-1", "0-2", "0-3", "0-4", "1-1", "1-2", "1-3", "1-4", "2-1", "2-2", "2-3", "2-4"], ids);
    }

    [Theory]
    [InlineData("7", StatusCode.InvalidArgument, "id: must be a partition and a number, such as 3-17, but is '7'")]
    [InlineData("0-x", StatusCode.InvalidArgument, "id: must be a partition and a number")]
    [InlineData("-1-1", StatusCode.InvalidArgument, "id: must be a partition and a number")]
    [InlineData("0-1", StatusCode.NotFound, "there is no dead letter '0-1'")]
    [InlineData("99-1", StatusCode.NotFound, "there is no dead letter '99-1'")]
    public async Task What_is_not_there_is_said_so(string id, StatusCode code, string reason)
    {
        await using NodeScene scene = await NodeScene.StartAsync();
        await FailsAsync(code, reason, () => scene.DeadLetters.ReplayAsync(new ReplayDeadLetterRequest { Id = id }));
    }

    private static async Task FailsAsync<T>(StatusCode code, string reason, Func<AsyncUnaryCall<T>> call)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(async () => await call());
        Assert.Equal(code, refused.StatusCode);
        Assert.Contains(reason, refused.Status.Detail, StringComparison.Ordinal);
    }
}
