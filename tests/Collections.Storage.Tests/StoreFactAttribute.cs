using Xunit.Abstractions;
using Xunit.Sdk;

namespace Collections.Storage.Tests;

/// <summary>A test of the contract: it runs for every store whose server is there, and says why it is skipped for another.</summary>
[XunitTestCaseDiscoverer("Collections.Storage.Tests.StoreFactDiscoverer", "Collections.Storage.Tests")]
[AttributeUsage(AttributeTargets.Method)]
public sealed class StoreFactAttribute : FactAttribute;

/// <summary>Makes the test cases of <see cref="StoreFactAttribute"/>: only here it is known of which store's class the test is.</summary>
public sealed class StoreFactDiscoverer(IMessageSink messages) : FactDiscoverer(messages)
{
    protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        testMethod.TestClass.Class.Name == typeof(PostgresStoreContractTests).FullName
            ? new PostgresTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)
            : base.CreateTestCase(discoveryOptions, testMethod, factAttribute);
}

/// <summary>A test case that wants a PostgreSQL server.</summary>
public sealed class PostgresTestCase : XunitTestCase
{
    /// <summary>For the runner, which reads test cases back from text.</summary>
    [Obsolete("Called by the runner")]
    public PostgresTestCase()
    {
    }

    public PostgresTestCase(IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(messages, display, options, method)
    {
    }

    protected override string GetSkipReason(IAttributeInfo factAttribute) => PostgresCluster.Bin is null ? PostgresCluster.Missing : base.GetSkipReason(factAttribute);
}
