namespace Collections.Load.Tests;

/// <summary>A clock that moves only while the sender sleeps, and a target on it whose answers come at moments that the test knows. One thread.</summary>
internal sealed class SteppedWorld : TimeProvider
{
    private readonly PriorityQueue<TaskCompletionSource<Outcome>, long> answers = new();
    private long nowMicros;

    public override long TimestampFrequency => 1_000_000;

    public long NowMicros => nowMicros;

    /// <summary>How much longer every sleep takes than was asked for.</summary>
    public long OversleepMicros { get; init; }

    public override long GetTimestamp() => nowMicros;

    public void Pause(TimeSpan duration)
    {
        long until = nowMicros + (long)Math.Ceiling(duration.TotalMicroseconds) + OversleepMicros;
        while (answers.TryPeek(out TaskCompletionSource<Outcome>? answer, out long at) && at <= until)
        {
            answers.Dequeue();
            nowMicros = Math.Max(nowMicros, at);
            answer.SetResult(Outcome.Ok);
        }
        nowMicros = until;
    }

    public Task<Outcome> AnswerAt(long micros)
    {
        var answer = new TaskCompletionSource<Outcome>();
        answers.Enqueue(answer, micros);
        return answer.Task;
    }

    /// <summary>Runs a sender here, on a thread without a test's context, so that what follows an answer is done before the clock goes on.</summary>
    public Task<Sender> RunAsync(Plan plan, Func<Sender, Planned, Func<Task<Outcome>>> prepare, int inFlight = int.MaxValue, long graceMicros = 60_000_000) => Task.Run(() =>
    {
        Sender? sender = null;
        sender = new Sender(plan, request => prepare(sender!, request), inFlight, graceMicros, this, Pause);
        sender.Run(CancellationToken.None);
        return sender;
    });
}
