using Collections.Engine.Hosting;
using Collections.Engine.Scoring;

namespace Collections.Server.Hosting;

/// <summary>Looks every hour how the active models do in the partitions that run here, and tells the operator what is beyond a threshold; each alert once for as long as it lasts.</summary>
public sealed class ModelWatcher(Node node, Action<string> warn)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private HashSet<string> told = [];

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
                await LookAsync();
        }
        catch (OperationCanceledException)
        {
            // The node is stopping.
        }
    }

    /// <summary>Looks once.</summary>
    public async Task LookAsync()
    {
        var now = new HashSet<string>();
        ModelSet models = node.Models.Current;
        foreach (ScoringModel? model in (ScoringModel?[])[models.Propensity, models.PreDueRisk])
        {
            if (model is null)
                continue;
            foreach (ModelAlert alert in (await node.Models.WatchAsync(model)).Alerts)
            {
                now.Add($"{alert.Model} {alert.Subject}");
                if (!told.Contains($"{alert.Model} {alert.Subject}"))
                    warn(alert.ToString());
            }
        }
        told = now;
    }
}
