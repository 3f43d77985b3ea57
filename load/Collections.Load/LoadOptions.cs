using Collections.Kafka;

namespace Collections.Load;

/// <summary>Where the load goes.</summary>
internal enum TargetKind
{
    /// <summary>A node that is started for it, in this process, in a temporary directory.</summary>
    Embedded,

    /// <summary>Nodes that run already.</summary>
    Grpc,

    /// <summary>Events into the topics of a Kafka cluster; everything else to nodes that run on it.</summary>
    Kafka,
}

/// <summary>What a run is asked for; checked by <see cref="LoadCommand"/>.</summary>
internal sealed record LoadOptions
{
    public required Scenario Scenario { get; init; }

    public required TargetKind Target { get; init; }

    /// <summary>Nodes, in turn; empty for a target of its own, and for Kafka alone.</summary>
    public IReadOnlyList<Uri> Addresses { get; init; } = [];

    /// <summary>The cluster, if the target is Kafka.</summary>
    public KafkaLogOptions? Kafka { get; init; }

    public int Seconds { get; init; } = 20;

    public int Seed { get; init; } = 1;

    public int Debtors { get; init; } = 50_000;

    /// <summary>Events a second on average.</summary>
    public required int EventRate { get; init; }

    public required int Batch { get; init; }

    public required int PullRate { get; init; }

    /// <summary>Actions of one pull.</summary>
    public int PullCount { get; init; } = 100;

    public bool WithoutReasons { get; init; }

    public required int GetRate { get; init; }

    /// <summary>Appends are answered when they are durable, not only when they have been applied.</summary>
    public bool Durable { get; init; }

    /// <summary>Calls that may be unanswered at a time.</summary>
    public int InFlight { get; init; } = Limits.InFlightDefault;

    /// <summary>How long a call may take; and how long after its end the plan may go on, if it is late.</summary>
    public int TimeoutSeconds { get; init; } = Limits.TimeoutSecondsDefault;

    /// <summary>Where the percentiles go, a file a class of request; null: nowhere.</summary>
    public string? HistogramFile { get; init; }

    public bool Json { get; init; }

    /// <summary>A scenario with its own rates.</summary>
    public static LoadOptions Of(Scenario scenario, TargetKind target) => new()
    {
        Scenario = scenario,
        Target = target,
        EventRate = scenario.EventRate,
        Batch = scenario.Batch,
        PullRate = scenario.PullRate,
        GetRate = scenario.GetRate,
    };

    public Plan ToPlan() => Plan.Of([.. Scenario.Flows(this)], Seconds, Seed);
}
