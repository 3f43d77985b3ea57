namespace Collections.Server.Demo.Portfolio;

/// <summary>How a simulated debtor behaves. Hidden from the engine, which sees only events.</summary>
public enum DebtorType : byte
{
    /// <summary>Pays on or before the due date, with rare slips.</summary>
    Payer = 0,

    /// <summary>Able to pay, late by days to weeks, and prompt after a reminder.</summary>
    Forgetter = 1,

    /// <summary>Pays in parts around pay-day; promises, and keeps some of it.</summary>
    Struggler = 2,

    /// <summary>Rarely pays and rarely answers.</summary>
    Refuser = 3,

    /// <summary>Pays, but contests bills; credit notes follow.</summary>
    Disputer = 4,
}
