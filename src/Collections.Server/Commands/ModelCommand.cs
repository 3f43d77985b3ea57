using System.CommandLine;
using Collections.Server.Hosting;
using Collections.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Collections.Server.Commands;

/// <summary><c>collections model …</c>: the registry of a running node.</summary>
internal static class ModelCommand
{
    public static Command Build() => new Command("model", "The models of a running node: what there is, what scores, and how it does")
    {
        List(), Add(), Activate(), RollBack(), Shadow(), Compare(), Watch(),
    };

    private static Command List()
    {
        var client = new ClientOptions();
        var command = new Command("list", "Show every version, which one is active, and every change");
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => CallAsync(
            client, arguments, models => models.ListAsync(new ListModelsRequest(), cancellationToken: cancellation), ModelTables.Show));
        return command;
    }

    private static Command Add()
    {
        var path = new Argument<string>("path") { Description = "A directory with model.txt and manifest.json, or a LightGBM model file" };
        var client = new ClientOptions();
        var command = new Command("add", "Add a version; it scores nothing until it is activated") { path };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) =>
        {
            string from = arguments.GetValue(path)!;
            if (ShippedModel.ReadFiles(from, out string error) is not { } files)
                return Task.FromResult(Output.Fail(error));
            var request = new AddModelRequest
            {
                Model = ByteString.CopyFromUtf8(files.Text),
                Manifest = ByteString.CopyFromUtf8(files.Manifest),
                Name = ShippedModel.NameOf(from),
            };
            return CallAsync(client, arguments, models => models.AddAsync(request, cancellationToken: cancellation), version => ModelTables.Show("added", version));
        });
        return command;
    }

    private static Command Activate()
    {
        (Argument<string> name, Argument<string> version) = Reference(ArgumentArity.ExactlyOne);
        var client = new ClientOptions();
        var command = new Command("activate", "Score with a version from now on, without a restart; the book is scored anew in the background") { name, version };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => CallAsync(
            client, arguments,
            models => models.ActivateAsync(new ModelReference { Name = arguments.GetValue(name)!, Version = arguments.GetValue(version)! }, cancellationToken: cancellation),
            active => ModelTables.Show("active", active)));
        return command;
    }

    private static Command RollBack()
    {
        Option<string> target = Target();
        var client = new ClientOptions();
        var command = new Command("rollback", "Score with the version again that was active before the present one") { target };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => CallAsync(
            client, arguments, models => models.RollBackAsync(new RollBackRequest { Target = arguments.GetValue(target)! }, cancellationToken: cancellation),
            active => ModelTables.Show("active", active)));
        return command;
    }

    private static Command Shadow()
    {
        (Argument<string> name, Argument<string> version) = Reference(ArgumentArity.ZeroOrOne);
        var end = new Option<bool>("--end") { Description = "End the shadow" };
        var client = new ClientOptions();
        var command = new Command("shadow", "Let a version score everybody besides the active one, without acting") { name, version, end };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) =>
        {
            bool isEnd = arguments.GetValue(end);
            var reference = new ModelReference { Name = arguments.GetValue(name) ?? "", Version = arguments.GetValue(version) ?? "" };
            if (isEnd == reference.Name.Length > 0)
                return Task.FromResult(Output.Fail("say which version is to shadow, such as 'model shadow propensity 2', or --end"));
            return CallAsync(
                client, arguments, models => models.ShadowAsync(reference, cancellationToken: cancellation),
                version => ModelTables.Show(isEnd ? "no longer the shadow" : "shadow", version));
        });
        return command;
    }

    private static Command Compare()
    {
        var head = new Option<int>("--head") { Description = "Places of each queue's head to compare; 0 takes the default of 100", DefaultValueFactory = _ => 0 };
        var client = new ClientOptions();
        var command = new Command("compare", "Hold the active model against its shadow: agreement, the queues' heads, expected recovery") { head };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => CallAsync(
            client, arguments,
            models => models.CompareAsync(new CompareModelsRequest { Tenant = arguments.GetValue(client.Tenant)!, Head = arguments.GetValue(head) }, cancellationToken: cancellation),
            ModelTables.Show));
        return command;
    }

    private static Command Watch()
    {
        Option<string> target = Target();
        var client = new ClientOptions();
        var command = new Command("watch", "Show how far the book has moved away from training, and whether past predictions came true") { target };
        client.AddTo(command);
        command.SetAction((arguments, cancellation) => CallAsync(
            client, arguments, models => models.WatchAsync(new WatchModelRequest { Target = arguments.GetValue(target)! }, cancellationToken: cancellation),
            ModelTables.Show));
        return command;
    }

    private static (Argument<string> Name, Argument<string> Version) Reference(ArgumentArity arity) =>
        (new Argument<string>("name") { Description = "The model's name", Arity = arity }, new Argument<string>("version") { Description = "Its version", Arity = arity });

    private static Option<string> Target() =>
        new("--target") { Description = "propensity or pre-due-risk", DefaultValueFactory = _ => "propensity" };

    private static Task<int> CallAsync<T>(ClientOptions client, ParseResult arguments, Func<Models.ModelsClient, AsyncUnaryCall<T>> call, Action<T> show)
        where T : class, IMessage => client.ShowAsync(arguments, async channel => await call(new Models.ModelsClient(channel)), show);
}
