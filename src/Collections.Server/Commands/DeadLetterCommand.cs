using System.CommandLine;
using System.Globalization;
using Collections.V1;
using Google.Protobuf;
using Grpc.Core;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary><c>collections dead-letter …</c>: records of a running node that could not be applied.</summary>
internal static class DeadLetterCommand
{
    private static readonly JsonFormatter Indented = new(JsonFormatter.Settings.Default.WithIndentation());

    public static Command Build() => new Command("dead-letter", "Records of a running node that could not be applied: look at them, put them back, give them up")
    {
        List(), Replay(), Discard(),
    };

    private static Command List()
    {
        var all = new Option<bool>("--all") { Description = "Those that have been settled too" };
        var count = new Option<int>("-n", "--count") { Description = "How many", DefaultValueFactory = _ => 100 };
        var after = new Option<string>("--after") { Description = "Only what comes after this id", DefaultValueFactory = _ => "" };
        var client = new ClientOptions();
        var command = new Command("list", "Show what could not be applied, and why") { all, count, after };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => CallAsync(
            client, arguments,
            letters => letters.ListAsync(
                new ListDeadLettersRequest { Settled = arguments.GetValue(all), Count = arguments.GetValue(count), After = arguments.GetValue(after)! }, cancellationToken: cancellation),
            Show));
        return command;
    }

    private static Command Replay()
    {
        Argument<string> id = Id();
        var mended = new Option<string?>("--event") { Description = "A file with the mended event as JSON; the record goes back as it came if not given" };
        var client = new ClientOptions();
        var command = new Command("replay", "Put a record back into the log, as it is or mended") { id, mended };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) =>
        {
            var request = new ReplayDeadLetterRequest { Id = arguments.GetValue(id)! };
            if (arguments.GetValue(mended) is { } path)
            {
                request.Event = Read(path, out string error);
                if (request.Event is null)
                    return Task.FromResult(Output.Fail(error));
            }
            return CallAsync(client, arguments, letters => letters.ReplayAsync(request, cancellationToken: cancellation), Show);
        });
        return command;
    }

    private static Command Discard()
    {
        Argument<string> id = Id();
        var why = new Option<string>("--why") { Description = "Why nothing is put back", Required = true };
        var client = new ClientOptions();
        var command = new Command("discard", "Settle a record without putting anything back") { id, why };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => CallAsync(
            client, arguments,
            letters => letters.DiscardAsync(new DiscardDeadLetterRequest { Id = arguments.GetValue(id)!, Reason = arguments.GetValue(why)! }, cancellationToken: cancellation), Show));
        return command;
    }

    private static Argument<string> Id() => new("id") { Description = "As 'dead-letter list' shows it, such as 3-17" };

    private static Event? Read(string path, out string error)
    {
        error = "";
        try
        {
            return JsonParser.Default.Parse<Event>(File.ReadAllText(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidProtocolBufferException)
        {
            error = $"--event: {path}: {failure.Message}";
            return null;
        }
    }

    private static void Show(ListDeadLettersResponse response)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("id", "at", "stream", "offset", "debtor", "event", "reason", "settled");
        foreach (DeadLetter letter in response.Letters)
        {
            table.AddRow(
                letter.Id, At(letter.At), letter.Stream, letter.Offset.ToString(CultureInfo.InvariantCulture), Markup.Escape(letter.Event?.Debtor ?? ""),
                letter.Event is { } e ? e.BodyCase.ToString() : "no event", Markup.Escape(letter.Reason),
                letter.SettledAt is null ? "" : Markup.Escape($"{At(letter.SettledAt)}: {letter.Settled}"));
        }
        Output.Results.Write(table);
    }

    private static void Show(DeadLetter letter)
    {
        Output.Results.MarkupLineInterpolated($"dead letter {letter.Id}: {letter.Settled}");
        if (letter.Event is not null)
            Output.Results.WriteLine(Indented.Format(letter.Event));
    }

    private static string At(Google.Protobuf.WellKnownTypes.Timestamp at) => at.ToDateTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static Task<int> CallAsync<T>(ClientOptions client, ParseResult arguments, Func<DeadLetters.DeadLettersClient, AsyncUnaryCall<T>> call, Action<T> show)
        where T : class, IMessage => client.ShowAsync(arguments, async channel => await call(new DeadLetters.DeadLettersClient(channel)), show);
}
