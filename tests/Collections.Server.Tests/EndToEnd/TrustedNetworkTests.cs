using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Collections.V1;
using Grpc.Net.Client;

namespace Collections.Server.Tests.EndToEnd;

/// <summary>A node as it runs in a container: on every address of its machine.</summary>
public sealed class TrustedNetworkTests
{
    [Fact]
    public async Task A_node_that_trusts_its_network_listens_on_every_address_and_says_what_that_means()
    {
        using var folder = new TestFolder();
        int other = FreePort();
        // As the base image of the Dockerfile sets it: it must not open a port of its own.
        var environment = new Dictionary<string, string> { ["ASPNETCORE_HTTP_PORTS"] = other.ToString(CultureInfo.InvariantCulture) };
        using System.Diagnostics.Process node = CollectionsProcess.Start(
            environment, ["serve", "--data", folder["data"], "--listen", "0.0.0.0:0", "--metrics", "0.0.0.0:0", "--trust-network", "--log-format", "json"]);
        try
        {
            var events = new Dictionary<string, JsonElement>();
            while (!events.ContainsKey("ready"))
            {
                JsonElement line = JsonDocument.Parse((await node.StandardError.ReadLineAsync().WaitAsync(CollectionsProcess.Patience))!).RootElement;
                events.Add(line.GetProperty("event").GetString()!, line);
            }
            JsonElement warning = events["network_trusted"];
            Assert.Equal("warning", warning.GetProperty("level").GetString());
            Assert.Contains("every role", warning.GetProperty("message").GetString(), StringComparison.Ordinal);
            Uri metrics = new(events["watched"].GetProperty("metrics").GetString()!), grpc = new(events["listening"].GetProperty("grpc").GetString()!);
            Assert.Equal(("0.0.0.0", "0.0.0.0"), (metrics.Host, grpc.Host));

            using var http = new HttpClient();
            Assert.Equal("ready\n", await http.GetStringAsync(new Uri($"http://127.0.0.1:{metrics.Port}/readyz")));
            using GrpcChannel channel = GrpcChannel.ForAddress($"http://127.0.0.1:{grpc.Port}");
            await new V1.Queues.QueuesClient(channel).PullAsync(new PullRequest { Queue = "default/sms", Count = 1 });
            using var socket = new TcpClient();
            await Assert.ThrowsAsync<SocketException>(() => socket.ConnectAsync(IPAddress.Loopback, other));
        }
        finally
        {
            node.Kill();
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
