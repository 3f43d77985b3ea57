using Collections.Engine.Hosting;
using Collections.Engine.Scoring;
using Collections.Scoring.Registry;
using Collections.Simulation.Fakes;

namespace Collections.Engine.Tests.Hosting;

/// <summary>Changes of the registry on their way to the partitions.</summary>
public sealed class ModelRegistryTests
{
    [Fact]
    public async Task A_change_reaches_a_partition_however_many_questions_wait_there()
    {
        await using var scene = new NodeScene(partitions: 1, workers: 1);
        await AddAsync(scene, "1", 0.2);
        await AddAsync(scene, "2", 0.7);
        await scene.Node.Models.ActivateAsync("stump", "1", "me");
        using var free = new ManualResetEventSlim();
        Task<bool> busy = scene.Node.Ask(0, _ =>
        {
            free.Wait();
            return true;
        });
        try
        {
            while (true)
                _ = scene.Node.Ask(0, partition => partition.Number);
        }
        catch (InvalidOperationException full)
        {
            Assert.Contains("commands wait", full.Message, StringComparison.Ordinal);
        }
        Task<RegistryResult> change = scene.Node.Models.ActivateAsync("stump", "2", "me");
        while (scene.Node.Models.Current.Propensity!.Version != "2")
            await Task.Yield();
        // Either it waits for the partition, or it has given up and is done.
        for (int i = 0; i < 10_000 && !change.IsCompleted; i++)
            await Task.Yield();
        free.Set();
        await busy.WaitAsync(NodeScene.Patience);
        Assert.Equal(RegistryStatus.Done, (await change.WaitAsync(NodeScene.Patience)).Status);
        Assert.Equal("2", await scene.Node.Ask(0, partition => partition.View.Models.Propensity!.Version));
    }

    [Fact]
    public async Task A_version_that_another_node_adds_while_the_registry_is_read_is_there_the_next_time()
    {
        await using var scene = new NodeScene(partitions: 1);
        await AddAsync(scene, "1", 0.2);
        await scene.Node.Models.ActivateAsync("stump", "1", "me");
        int next = 2;
        scene.Store.At = moment =>
        {
            string version = $"{next}";
            if (moment != StoreMoment.ActsRead || next > 4)
                return;
            next++;
            AddAsync(scene, version, 0.7).GetAwaiter().GetResult();
            scene.Node.Models.ActivateAsync("stump", version, "me").GetAwaiter().GetResult();
        };
        using var other = new ModelRegistry(scene.Node, scene.Store);
        Assert.Equal(("1", 1), (other.Current.Propensity!.Version, other.Versions.Count));
        await other.RefreshAsync().WaitAsync(NodeScene.Patience);
        Assert.Equal(("3", 3), (other.Current.Propensity!.Version, other.Versions.Count));
        await other.RefreshAsync().WaitAsync(NodeScene.Patience);
        Assert.Equal(("4", 4), (other.Current.Propensity!.Version, other.Versions.Count));
    }

    [Fact]
    public async Task Whoever_asks_a_worker_while_it_stops_gets_an_answer_or_a_refusal()
    {
        for (int round = 0; round < 300; round++)
        {
            using var worker = new Worker(round, TimeProvider.System, static _ => { });
            worker.Start();
            var asked = new Task<int>[2][];
            Task[] askers = [.. Enumerable.Range(0, asked.Length).Select(i => Task.Run(() => asked[i] = AskUntilRefused(worker)))];
            worker.Stop();
            await Task.WhenAll(askers).WaitAsync(NodeScene.Patience);
            foreach (Task<int> question in asked.SelectMany(questions => questions))
                await question.WaitAsync(NodeScene.Patience).ContinueWith(answer => Assert.IsNotType<TimeoutException>(answer.Exception?.InnerException), TaskScheduler.Default);
        }

        static Task<int>[] AskUntilRefused(Worker worker)
        {
            var questions = new List<Task<int>>();
            try
            {
                while (questions.Count < 10_000)
                    questions.Add(worker.Ask(() => 1));
            }
            catch (InvalidOperationException)
            {
                // It has stopped.
            }
            return [.. questions];
        }
    }

    [Fact]
    public async Task Since_when_a_model_is_active_is_known_after_a_restart()
    {
        await using var scene = new NodeScene(partitions: 1, workers: 1);
        await AddAsync(scene, "1", 0.2);
        await AddAsync(scene, "2", 0.7);
        await scene.Node.Models.ActivateAsync("stump", "1", "me");
        scene.Time.Add(1_000);
        await scene.Node.Models.ActivateAsync("stump", "2", "me");
        scene.Time.Add(1_000);
        await scene.Node.Models.RollBackAsync(ModelTarget.Propensity, "me");
        long since = scene.Time.NowMs;
        scene.Time.Add(1_000);
        await scene.Node.Models.ShadowAsync("stump", "2", "me");
        Assert.Equal(since, scene.Node.Models.Current.PropensitySinceMs);
        scene.Restart();
        Assert.Equal(since, scene.Node.Models.Current.PropensitySinceMs);
    }

    [Fact]
    public async Task A_model_that_comes_with_the_program_keeps_no_node_from_starting_that_has_one()
    {
        ScoringModel Shipped(double probability) =>
            ScoringModel.Create("shipped", new ModelFiles(StumpModel.Constant(probability), StumpModel.Manifest("shipped", "1")), out _)!;
        var store = new MemoryStore();
        await Start(Shipped(0.2), activate: false).DisposeAsync();
        await using (Node again = Start(Shipped(0.3), activate: false))
            Assert.Equal("shipped 1", $"{Assert.Single(again.Models.Versions)}");
        Assert.Contains("shipped 1 is another model already", Assert.Throws<ModelRefusedException>(() => Start(Shipped(0.3), activate: true)).Message, StringComparison.Ordinal);

        Node Start(ScoringModel model, bool activate) =>
            Node.Start(new MemoryLog(1), store, new EngineOptions { Workers = 1, Model = model, ActivateModel = activate }, new NodeScene.Clock(), _ => { });
    }

    private static Task AddAsync(NodeScene scene, string version, double probability) =>
        scene.Node.Models.AddAsync("stump", new ModelFiles(StumpModel.Constant(probability), StumpModel.Manifest("stump", version)), "me");
}
