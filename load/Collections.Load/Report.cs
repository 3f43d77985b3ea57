using System.Globalization;
using Collections.Server.Bench;
using Collections.Server.Commands;
using Spectre.Console;

namespace Collections.Load;

/// <summary>What people read of a run.</summary>
internal static class Report
{
    /// <summary>What figures are taken on, and how busy it is with other things, where the system says so.</summary>
    public static string Machine()
    {
        const string load = "/proc/loadavg";
        return File.Exists(load) ? $"{Hardware.Describe()}, load average {File.ReadAllText(load).Split(' ')[0]} before" : Hardware.Describe();
    }

    /// <summary>Before anything is sent: on what, and what is planned.</summary>
    public static IEnumerable<string> PlanLines(LoadOptions options, Plan plan, string machine)
    {
        yield return machine;
        yield return Line($"{options.Scenario.Name}: {options.Scenario.Summary}; {options.Seconds} s, seed {options.Seed}, plan {plan.Hash:x16}, at most {options.InFlight:N0} calls in flight");
        foreach (Flow flow in plan.Flows)
        {
            double peak = flow.Requests / (double)options.Seconds * flow.Curve.Peak;
            string carried = flow.Class == RequestClass.Append ? Line($" with {flow.Events:N0} events") : flow.Class == RequestClass.Pull ? Line($" of {options.PullCount:N0} actions, each to be reported") : "";
            yield return Line($"  {flow.Class.ToString().ToLowerInvariant()}: {flow.Requests:N0} calls{carried}, at most {peak:N0} calls a second");
        }
    }

    public static void Write(LoadResult result)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns(
            "request", "planned", "sent", "ok", "failed", "planned/s", "achieved/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "sender late p99", "max");
        foreach (TableColumn column in table.Columns.Skip(1))
            column.RightAligned();
        foreach (ClassResult r in result.Requests)
        {
            table.AddRow(
                r.Request, Line($"{r.Planned:N0}"), Line($"{r.Sent:N0}"), Line($"{r.Ok:N0}"), Line($"{r.Failed:N0}"), Line($"{r.PlannedPerSecond:N1}"), Line($"{r.AchievedPerSecond:N1}"),
                Line($"{r.P50Ms:N2}"), Line($"{r.P90Ms:N2}"), Line($"{r.P99Ms:N2}"), Line($"{r.P999Ms:N2}"), Line($"{r.MaxMs:N2}"), Line($"{r.LatenessP99Ms:N2}"), Line($"{r.LatenessMaxMs:N2}"));
        }
        Output.Results.Write(table);
        foreach (string line in Lines(result))
            Console.Out.WriteLine(line);
    }

    private static IEnumerable<string> Lines(LoadResult result)
    {
        if (result.EventsPlanned > 0)
            yield return Line($"events: {result.EventsAcknowledged:N0} of {result.EventsPlanned:N0} acknowledged");
        if (result.Requests.FirstOrDefault(static r => r.Request == "pull") is { } pulls)
        {
            yield return Line($"actions: {result.ActionsPulled:N0} pulled; {result.PullsShort:N0} of {pulls.Planned:N0} pulls got fewer than they asked for, as the queues ran low; {result.LeasesVoided:N0} leases had been voided when they were reported");
            yield return Line($"leases handed out twice: {result.LeasesTwice:N0}; debtors in two hands: {result.DebtorsTwice:N0}");
        }
        if (result.DeadLetters is > 0)
            yield return Line($"events that could not be applied: {result.DeadLetters:N0}; `collections dead-letter list` has the reasons");
        foreach (ClassResult r in result.Requests.Where(static r => r.Failed > 0))
            yield return Line($"{r.Request} failed: {string.Join(", ", r.FailedBy.Select(static f => Line($"{f.Value:N0} {f.Key}")))}");
        foreach (string example in result.Examples)
            yield return $"  {example}";
        if (result.GeneratorFellBehind)
            yield return Line($"the generator itself fell behind (more than {Limits.LatenessMsMax:N0} ms for one request in a hundred): these figures are its own as much as the target's; take a lower rate, larger batches or another machine for it");
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
