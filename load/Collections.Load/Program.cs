using Collections.Load;
using Collections.Server.Commands;
using Collections.Server.Hosting;
using Grpc.Core;

return await LoadCommand.RunAsync(args, static async (options, cancellation) =>
{
    try
    {
        LoadResult result = await LoadRun.RunAsync(options, Console.Error.WriteLine, cancellation);
        if (options.Json)
            Output.WriteJson(result);
        else
            Report.Write(result);
        return result.Passed ? 0 : 1;
    }
    catch (OperationCanceledException)
    {
        return Output.Fail("interrupted");
    }
    catch (RpcException refused)
    {
        return Output.Fail($"{(options.Addresses.Count > 0 ? string.Join(", ", options.Addresses) : "the node")}: {refused.StatusCode}: {refused.Status.Detail}");
    }
    catch (Exception failure) when (DataDirectory.IsExpected(failure))
    {
        return Output.Fail(failure.Message);
    }
});
