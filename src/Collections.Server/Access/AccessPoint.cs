using System.Net;
using Collections.Grpc;
using Grpc.Core;

namespace Collections.Server.Access;

/// <summary>What a caller may do. A call needs one of them.</summary>
public enum Role
{
    /// <summary>Append events.</summary>
    Ingest,

    /// <summary>Pull and report actions.</summary>
    Dialer,

    /// <summary>Read one debtor in full.</summary>
    Agent,

    /// <summary>See how the node stands, and settle what it could not apply.</summary>
    Admin,

    /// <summary>Decide which models score, and see how they do.</summary>
    Strategist,

    /// <summary>Be a node of the same engine.</summary>
    Node,
}

/// <summary>Who calls: the tenants and roles that the authorisation point found for it.</summary>
/// <param name="AllTenants">Trusted for every tenant.</param>
public sealed record Caller(string Name, bool AllTenants, IReadOnlySet<string> Tenants, IReadOnlySet<Role> Roles);

/// <summary>
/// The one authorisation point: every call passes it before its handler runs, and every handler asks it about the tenant that the
/// request names. There is no authentication: whoever calls from this machine is trusted with everything, and the server is bound to this machine
/// alone, unless its operator says that the network keeps others out (<c>--trust-network</c>). Then whoever reaches the port is trusted alike.
/// </summary>
public static class AccessPoint
{
    private static readonly Caller Local = TrustedWithEverything("loopback");

    private static readonly Dictionary<string, Role> RoleOfService = new()
    {
        ["collections.v1.Ingest"] = Role.Ingest,
        ["collections.v1.Queues"] = Role.Dialer,
        ["collections.v1.Debtors"] = Role.Agent,
        ["collections.v1.Models"] = Role.Strategist,
        ["collections.v1.DeadLetters"] = Role.Admin,
        ["collections.v1.Peers"] = Role.Node,
    };

    /// <summary>What lets a call through, or ends it with UNAUTHENTICATED or PERMISSION_DENIED.</summary>
    /// <param name="trustNetwork">Whether callers from other machines are served.</param>
    public static GrpcCallGate Gate(bool trustNetwork) => (context, method) => Pass(context, method, trustNetwork);

    /// <summary>The tenant that a request is about; empty means "default".</summary>
    /// <exception cref="RpcException">PERMISSION_DENIED: the caller has nothing to do with that tenant.</exception>
    public static string Tenant(ServerCallContext context, string requested)
    {
        string tenant = requested.Length == 0 ? "default" : requested;
        var caller = (Caller)context.UserState[typeof(Caller)];
        if (!caller.AllTenants && !caller.Tenants.Contains(tenant))
            throw new RpcException(new Status(StatusCode.PermissionDenied, $"'{caller.Name}' may not act for tenant '{tenant}'"));
        return tenant;
    }

    /// <summary>Who calls, for what is recorded.</summary>
    public static string NameOf(ServerCallContext context) => ((Caller)context.UserState[typeof(Caller)]).Name;

    private static ValueTask Pass(ServerCallContext context, string method, bool trustNetwork)
    {
        Caller caller = Identify(context.GetHttpContext().Connection.RemoteIpAddress, trustNetwork);
        string service = method.Split('/')[1];
        // Health says nothing about anybody, and probes carry no credentials.
        if (service != "grpc.health.v1.Health" && (!RoleOfService.TryGetValue(service, out Role role) || !caller.Roles.Contains(role)))
            throw new RpcException(new Status(StatusCode.PermissionDenied, $"'{caller.Name}' lacks the role that {service} needs"));
        context.UserState[typeof(Caller)] = caller;
        return ValueTask.CompletedTask;
    }

    /// <param name="remote">Where the call comes from; null: from within the process.</param>
    /// <exception cref="RpcException">UNAUTHENTICATED: from another machine, and the network is not trusted.</exception>
    internal static Caller Identify(IPAddress? remote, bool trustNetwork)
    {
        if (remote is null || IPAddress.IsLoopback(remote))
            return Local;
        // The address is no proof of anybody, but it is what can be recorded.
        if (trustNetwork)
            return TrustedWithEverything((remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote).ToString());
        throw new RpcException(new Status(StatusCode.Unauthenticated, "only callers on this machine are served: no authentication is configured"));
    }

    private static Caller TrustedWithEverything(string name) => new(name, AllTenants: true, new HashSet<string>(), new HashSet<Role>(Enum.GetValues<Role>()));
}
