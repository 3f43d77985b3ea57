using Grpc.Core;

namespace Collections.Load;

/// <summary>
/// Sends every request when it is planned, whether or not earlier ones were answered (open loop). A request's latency counts from its planned time: what
/// a target that stalls keeps waiting is counted with its waiting, also what could not be sent because too many were unanswered. How late the
/// sender itself was is counted besides, so that a generator that is the bottleneck says so.
/// </summary>
/// <param name="prepare">
/// Makes a request ready, in the order of the plan; what it returns makes the call. What follows from the answer is added by <see cref="Add"/> before the call ends.
/// </param>
/// <param name="inFlightMax">Calls that may be unanswered at a time.</param>
/// <param name="graceMicros">How long after the end of the plan requests that are late may still be sent.</param>
/// <param name="time">The clock, read once a round.</param>
/// <param name="pause">Sleeps this long; a test moves its clock instead.</param>
internal sealed class Sender(Plan plan, Func<Planned, Func<Task<Outcome>>> prepare, int inFlightMax, long graceMicros, TimeProvider time, Action<TimeSpan> pause)
{
    private readonly Tally[] tallies = [.. Enum.GetValues<RequestClass>().Select(static _ => new Tally())];

    // Guards what follows from answers: added by the threads that take them, taken by the sender's.
    private readonly Lock gate = new();
    private readonly PriorityQueue<Planned, Planned> followUps = new();
    private long started;
    private int next;
    private Func<Task<Outcome>>? prepared;
    private int inFlight;

    public int InFlight => Volatile.Read(ref inFlight);

    public long NowMicros => time.GetElapsedTime(started).Ticks / TimeSpan.TicksPerMicrosecond;

    public Tally Of(RequestClass kind) => tallies[(int)kind];

    /// <summary>Plans a request that follows from an answer.</summary>
    public void Add(Planned request)
    {
        lock (gate)
            followUps.Enqueue(request, request);
        Of(plan.ClassOf(request)).Plan(request.AtMicros);
    }

    /// <summary>Sends everything, and returns when everything is answered or given up. One thread's, once.</summary>
    public void Run(CancellationToken cancellation)
    {
        foreach (Planned planned in plan.Requests)
            Of(plan.ClassOf(planned)).Plan(planned.AtMicros);
        started = time.GetTimestamp();
        long freeSince = 0;
        bool isFull = false;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            // Looked at before what is waiting: an answer adds what follows from it before it frees its place.
            int unanswered = InFlight;
            if (!TryPeek(out Planned request))
            {
                if (unanswered == 0)
                    return;
                pause(Limits.Nap);
                continue;
            }
            long now = NowMicros;
            if (now > plan.DurationMicros + graceMicros)
            {
                GiveUp(Take(request), now);
            }
            else if (request.AtMicros > now)
            {
                pause(TimeSpan.FromMicroseconds(Math.Min(request.AtMicros - now, (long)Limits.Nap.TotalMicroseconds)));
            }
            else if (unanswered >= inFlightMax)
            {
                isFull = true;
                pause(Limits.Nap);
            }
            else
            {
                if (isFull)
                    (isFull, freeSince) = (false, now);
                Start(Take(request), freeSince);
            }
        }
    }

    private void GiveUp(in Planned request, long now) =>
        Of(plan.ClassOf(request)).End(new Outcome(Tally.NotSent, "the run gave up before there was a place in flight"), now - request.AtMicros, now);

    private void Start(in Planned request, long freeSince)
    {
        Func<Task<Outcome>> call = prepared is { } ready && request.Flow != Planned.FollowUp ? ready : prepare(request);
        if (request.Flow != Planned.FollowUp)
            prepared = null;
        Interlocked.Increment(ref inFlight);
        Of(plan.ClassOf(request)).Send(NowMicros - Math.Max(request.AtMicros, freeSince));
        _ = SendAsync(request, call);
    }

    private async Task SendAsync(Planned request, Func<Task<Outcome>> call)
    {
        Outcome outcome;
        try
        {
            outcome = await call();
        }
        catch (RpcException refused)
        {
            outcome = new Outcome(refused.StatusCode.ToString(), refused.Status.Detail);
        }
#pragma warning disable CA1031 // Whatever a call ends with is counted; a request must not vanish from the figures.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            outcome = new Outcome(failure.GetType().Name, failure.Message);
        }
        long now = NowMicros;
        Of(plan.ClassOf(request)).End(outcome, now - request.AtMicros, now);
        Interlocked.Decrement(ref inFlight);
    }

    /// <summary>What is next, of the plan and of what follows from answers. The plan's own is made ready meanwhile, so that it can go in its moment.</summary>
    private bool TryPeek(out Planned request)
    {
        bool isPlanned = next < plan.Requests.Length;
        if (isPlanned)
            prepared ??= prepare(plan.Requests[next]);
        lock (gate)
        {
            bool follows = followUps.TryPeek(out request, out _);
            if (!isPlanned || (follows && request.CompareTo(plan.Requests[next]) < 0))
                return follows;
        }
        request = plan.Requests[next];
        return true;
    }

    /// <summary>Takes what was seen; what was added since, and is due before it, goes first.</summary>
    private Planned Take(in Planned seen)
    {
        if (seen.Flow != Planned.FollowUp)
            return plan.Requests[next++];
        lock (gate)
            return followUps.Dequeue();
    }
}
