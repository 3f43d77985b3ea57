using System.Net;
using Collections.Server.Access;
using Collections.Server.Commands;
using Grpc.Core;

namespace Collections.Server.Tests.Services;

/// <summary>Who may do what, and where the embedded default may listen.</summary>
public sealed class AccessPointTests
{
    [Theory]
    [InlineData("acme", "acme", true)]
    [InlineData("beta", "beta", true)]
    [InlineData("gamma", "gamma", false)]
    [InlineData("ACME", "ACME", false)]
    [InlineData("", "default", false)]
    public void A_caller_acts_for_its_own_tenants_alone(string requested, string named, bool allowed)
    {
        var context = new CallOf(new Caller("dialer-7", AllTenants: false, new HashSet<string> { "acme", "beta" }, new HashSet<Role> { Role.Dialer }));
        if (allowed)
        {
            Assert.Equal(named, AccessPoint.Tenant(context, requested));
            return;
        }
        RpcException refused = Assert.Throws<RpcException>(() => AccessPoint.Tenant(context, requested));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        Assert.Equal($"'dialer-7' may not act for tenant '{named}'", refused.Status.Detail);
    }

    [Theory]
    [InlineData("acme", "acme")]
    [InlineData("", "default")]
    public void A_caller_trusted_for_every_tenant_names_any_and_none_means_default(string requested, string tenant) =>
        Assert.Equal(tenant, AccessPoint.Tenant(new CallOf(new Caller("loopback", AllTenants: true, new HashSet<string>(), new HashSet<Role>())), requested));

    [Theory]
    [InlineData("127.0.0.1:7700", "127.0.0.1:7700")]
    [InlineData("localhost:0", "127.0.0.1:0")]
    [InlineData("127.8.9.10:80", "127.8.9.10:80")]
    [InlineData("[::1]:7700", "[::1]:7700")]
    public void Loopback_addresses_are_listened_on(string text, string endpoint)
    {
        Assert.True(ServeCommand.TryParseListen("--listen", text, ServeCommand.ListenDefault, trustNetwork: false, out IPEndPoint parsed, out string problem), problem);
        Assert.Equal(endpoint, parsed.ToString());
    }

    [Theory]
    [InlineData("0.0.0.0:7700", "can be reached from other machines")]
    [InlineData("[::]:7700", "can be reached from other machines")]
    [InlineData("192.168.1.10:7700", "can be reached from other machines")]
    [InlineData("[::ffff:10.0.0.1]:7700", "can be reached from other machines")]
    [InlineData("example.com:7700", "is no address and port")]
    [InlineData("127.0.0.1:65536", "is no address and port")]
    [InlineData("", "is no address and port")]
    public void Addresses_that_others_can_reach_are_refused_because_nobody_is_authenticated(string text, string problem)
    {
        Assert.False(ServeCommand.TryParseListen("--listen", text, ServeCommand.ListenDefault, trustNetwork: false, out _, out string said));
        Assert.StartsWith($"--listen: '{text}'", said, StringComparison.Ordinal);
        Assert.Contains(problem, said, StringComparison.Ordinal);
        Assert.Contains(ServeCommand.ListenDefault, said, StringComparison.Ordinal);
        Assert.Equal(problem.StartsWith("can be", StringComparison.Ordinal), said.Contains("or --trust-network if", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0.0.0.0:7700", true)]
    [InlineData("[::]:7700", true)]
    [InlineData("10.1.2.3:7700", true)]
    [InlineData("127.0.0.1:7700", true)]
    [InlineData("example.com:7700", false)]
    [InlineData("0.0.0.0:65536", false)]
    public void A_trusted_network_may_be_listened_on(string text, bool allowed)
    {
        Assert.Equal(allowed, ServeCommand.TryParseListen("--listen", text, ServeCommand.ListenDefault, trustNetwork: true, out IPEndPoint parsed, out string problem));
        Assert.Equal(allowed ? text : $"--listen: '{text}' is no address and port, such as {ServeCommand.ListenDefault}", allowed ? parsed.ToString() : problem);
    }

    [Theory]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("::1", "loopback")]
    [InlineData("::ffff:127.0.0.1", "loopback")]
    [InlineData("10.1.2.3", "10.1.2.3")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3")]
    [InlineData("fd00::7", "fd00::7")]
    public void Callers_from_elsewhere_are_served_on_a_trusted_network_alone(string remote, string name)
    {
        Caller trusted = AccessPoint.Identify(IPAddress.Parse(remote), trustNetwork: true);
        Assert.Equal(name, trusted.Name);
        Assert.True(trusted.AllTenants);
        Assert.Equal(Enum.GetValues<Role>().Order(), trusted.Roles.Order());
        if (name == "loopback")
        {
            Assert.Equal(name, AccessPoint.Identify(IPAddress.Parse(remote), trustNetwork: false).Name);
            return;
        }
        RpcException refused = Assert.Throws<RpcException>(() => AccessPoint.Identify(IPAddress.Parse(remote), trustNetwork: false));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
    }

    /// <summary>A call that has passed the gate.</summary>
    private sealed class CallOf : ServerCallContext
    {
        public CallOf(Caller caller) => UserState[typeof(Caller)] = caller;

        protected override string MethodCore => "/collections.v1.Queues/Pull";

        protected override string HostCore => "localhost";

        protected override string PeerCore => "ipv4:127.0.0.1:1";

        protected override DateTime DeadlineCore => DateTime.MaxValue;

        protected override Metadata RequestHeadersCore => [];

        protected override CancellationToken CancellationTokenCore => CancellationToken.None;

        protected override Metadata ResponseTrailersCore => [];

        protected override Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
