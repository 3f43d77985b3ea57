using Collections.Domain.Events;

namespace Collections.Engine.Queues;

/// <summary>A queue's public name inside its tenant: "portfolio/channel", as in "cards/voice".</summary>
public readonly record struct QueueName(string Portfolio, Channel Channel)
{
    public const string DefaultPortfolio = "default";

    public static bool TryParse(string text, out QueueName name)
    {
        name = default;
        int slash = text.LastIndexOf('/');
        // A name only: the parser of enums would take numbers, and lists of names as their sum.
        if (slash <= 0 || text.AsSpan(slash + 1).ContainsAnyExceptInRange('A', 'z') || !Enum.TryParse(text.AsSpan(slash + 1), ignoreCase: true, out Channel channel) || channel == Channel.None || !Enum.IsDefined(channel))
            return false;
        name = new QueueName(text[..slash], channel);
        return true;
    }

    public override string ToString() => $"{Portfolio}/{Channel.ToString().ToLowerInvariant()}";
}
