using Collections.Domain;
using Collections.Domain.Events;
using Collections.Engine.Partitions;

namespace Collections.Engine.Queues;

/// <summary>The queues of one partition, one a tenant × portfolio × channel, made when first needed.</summary>
internal sealed class QueueBook(DebtorTable table) : IDisposable
{
    private readonly List<RankedQueue> queues = [];
    private readonly Dictionary<(ushort Tenant, ushort Portfolio, Channel Channel), RankedQueue> byKey = [];

    public IReadOnlyList<RankedQueue> All => queues;

    public RankedQueue Of(ushort tenant, ushort portfolio, Channel channel)
    {
        if (table.Names[portfolio].SequenceEqual("default"u8))
            portfolio = 0;
        if (byKey.TryGetValue((tenant, portfolio, channel), out RankedQueue? queue))
            return queue;
        Invariant.Require(queues.Count < Limits.QueuesMax, $"a partition holds at most {Limits.QueuesMax} queues (tenant × portfolio × channel); use fewer portfolios or more partitions");
        queue = new RankedQueue(table, (ushort)(queues.Count + 1), tenant, portfolio, channel);
        queues.Add(queue);
        byKey.Add((tenant, portfolio, channel), queue);
        return queue;
    }

    /// <summary>The interned portfolio of a queue's name; debtors without one are in the portfolio "default".</summary>
    public bool TryPortfolio(string portfolio, out ushort id)
    {
        id = 0;
        return portfolio == QueueName.DefaultPortfolio || table.Names.TryFind(System.Text.Encoding.UTF8.GetBytes(portfolio), out id);
    }

    public QueueName NameOf(RankedQueue queue) =>
        new(queue.Portfolio == 0 ? QueueName.DefaultPortfolio : System.Text.Encoding.UTF8.GetString(table.Names[queue.Portfolio]), queue.Channel);

    public RankedQueue? Find(ushort tenant, ushort portfolio, Channel channel) => byKey.GetValueOrDefault((tenant, portfolio, channel));

    public void Leave(int slot)
    {
        ushort number = table.Standing(slot).Queue;
        if (number != 0)
            queues[number - 1].Remove(slot);
    }

    public void Dispose()
    {
        foreach (RankedQueue queue in queues)
            queue.Dispose();
        queues.Clear();
        byKey.Clear();
    }
}
