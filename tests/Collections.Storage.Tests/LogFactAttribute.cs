namespace Collections.Storage.Tests;

/// <summary>A test of the log's contract. Projects whose log needs something of the machine have an attribute of this name that says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LogFactAttribute : FactAttribute;
