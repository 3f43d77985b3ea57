using System.CommandLine;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Collections.Server.Commands;

/// <summary>What the commands that talk to a running node have in common.</summary>
internal sealed class ClientOptions
{
    public Option<string> Address { get; } = new("--address") { Description = "Where the node listens", DefaultValueFactory = _ => $"http://{ServeCommand.ListenDefault}" };

    public Option<string> Tenant { get; } = new("--tenant") { Description = "The tenant", DefaultValueFactory = _ => "default" };

    public Option<bool> Json { get; } = new("--json") { Description = "Print JSON" };

    public void AddTo(Command command)
    {
        command.Options.Add(Address);
        command.Options.Add(Tenant);
        command.Options.Add(Json);
    }

    /// <summary>Calls the node and shows its answer, as JSON if that is asked for.</summary>
    public Task<int> ShowAsync<T>(ParseResult arguments, Func<ChannelBase, Task<T>> call, Action<T> show)
        where T : class, IMessage => CallAsync(arguments.GetValue(Address)!, async channel =>
    {
        T answer = await call(channel);
        if (arguments.GetValue(Json))
            Console.Out.WriteLine(JsonFormatter.Default.Format(answer));
        else
            show(answer);
    });

    /// <summary>Calls the node; what it answers in error is printed, and the exit code is 2.</summary>
    public static async Task<int> CallAsync(string address, Func<ChannelBase, Task> call)
    {
        try
        {
            using GrpcChannel channel = GrpcChannel.ForAddress(address.Contains("://", StringComparison.Ordinal) ? address : $"http://{address}");
            await call(channel);
            return 0;
        }
        catch (RpcException refused)
        {
            return Output.Fail(IsUnreachable(refused)
                ? $"no node answers at {address}; start one with 'collections serve', or say with --address where it listens"
                : $"{refused.StatusCode}: {refused.Status.Detail}");
        }
        catch (Exception malformed) when (malformed is UriFormatException or ArgumentException)
        {
            return Output.Fail($"--address: '{address}' is no address, such as http://{ServeCommand.ListenDefault}");
        }
    }

    private static bool IsUnreachable(RpcException refused) =>
        refused.StatusCode == StatusCode.Unavailable
        && refused.Status.DebugException is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };

    /// <summary>Minor units for people: "1,234.56 EUR".</summary>
    public static string Amount(long minor, string currency)
    {
        int digits = Domain.Currency.TryParse(System.Text.Encoding.UTF8.GetBytes(currency), out Domain.Currency known) ? known.MinorDigits : 2;
        decimal major = minor;
        for (int i = 0; i < digits; i++)
            major /= 10;
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{major.ToString("N" + digits, System.Globalization.CultureInfo.InvariantCulture)} {currency}").TrimEnd();
    }
}
