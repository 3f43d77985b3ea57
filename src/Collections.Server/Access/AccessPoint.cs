using System.Net;
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
/// request names. On the embedded default there is no authentication: whoever calls from this machine is trusted with everything,
/// and the server is bound to this machine alone.
/// </summary>
public static class AccessPoint
{
    private static readonly Caller Local = new("loopback", AllTenants: true, new HashSet<string>(), new HashSet<Role>(Enum.GetValues<Role>()));

    private static readonly Dictionary<string, Role> RoleOfService = new()
    {
        ["collections.v1.Ingest"] = Role.Ingest,
        ["collections.v1.Queues"] = Role.Dialer,
        ["collections.v1.Debtors"] = Role.Agent,
        ["collections.v1.Models"] = Role.Strategist,
        ["collections.v1.DeadLetters"] = Role.Admin,
        ["collections.v1.Peers"] = Role.Node,
    };

    /// <summary>Lets a call through, or ends it with UNAUTHENTICATED or PERMISSION_DENIED.</summary>
    public static ValueTask Gate(ServerCallContext context, string method)
    {
        Caller caller = Identify(context);
        string service = method.Split('/')[1];
        // Health says nothing about anybody, and probes carry no credentials.
        if (service != "grpc.health.v1.Health" && (!RoleOfService.TryGetValue(service, out Role role) || !caller.Roles.Contains(role)))
            throw new RpcException(new Status(StatusCode.PermissionDenied, $"'{caller.Name}' lacks the role that {service} needs"));
        context.UserState[typeof(Caller)] = caller;
        return ValueTask.CompletedTask;
    }

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

    private static Caller Identify(ServerCallContext context)
    {
        IPAddress? remote = context.GetHttpContext().Connection.RemoteIpAddress;
        if (remote is null || IPAddress.IsLoopback(remote))
            return Local;
        throw new RpcException(new Status(StatusCode.Unauthenticated, "only callers on this machine are served: no authentication is configured"));
    }
}
