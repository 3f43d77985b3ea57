using System.Collections.Concurrent;
using System.Text;
using Collections.Engine.Scoring;
using Collections.Engine.Stores;
using Collections.Scoring.Registry;

namespace Collections.Engine.Hosting;

/// <summary>What became of a change of the registry, in the order of precedence.</summary>
public enum RegistryStatus
{
    Done,

    /// <summary>The registry has no such version.</summary>
    NotFound,

    /// <summary>The name and version are taken by another model.</summary>
    Taken,

    /// <summary>The model can't be used here, or the change has no meaning; the reason says why.</summary>
    Refused,
}

/// <param name="Version">The version that it was about, if there is one.</param>
/// <param name="Reason">Why it was not done, or that nothing had to be; empty otherwise.</param>
public readonly record struct RegistryResult(RegistryStatus Status, RegisteredModel? Version, string Reason = "");

/// <summary>The registry did not take the model that a node was to begin with.</summary>
public sealed class ModelRefusedException(string message) : Exception(message);

/// <summary>A model version in the registry.</summary>
/// <param name="Number">What scores name it by.</param>
public sealed record RegisteredModel(ushort Number, ModelManifest Manifest, string Sha256, long AddedMs, string AddedBy)
{
    public override string ToString() => $"{Manifest.Name} {Manifest.Version}";
}

/// <summary>What the last look at a model found.</summary>
/// <param name="At">When, as a timestamp of the node's cadence.</param>
internal sealed record WatchedModel(ScoringModel Model, ModelHealth Health, long At);

/// <summary>
/// The models of a node: every version that was ever added, which one is active for each target, and which one shadows. The store has the
/// truth; changes are made one at a time, committed there first, and then handed to every partition between two of its slices.
/// </summary>
public sealed class ModelRegistry : IDisposable
{
    /// <summary>The documents of a version.</summary>
    private const string ModelDocument = "model.txt", ManifestDocument = "manifest.json";

    private readonly Node node;
    private readonly IStore store;
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly List<ConfigurationAct> acts;
    private readonly ConcurrentDictionary<ModelTarget, WatchedModel> watched = new();

    /// <summary>Replaced whole under the gate; read by any thread.</summary>
    private volatile IReadOnlyList<RegisteredModel> versions;
    private volatile ModelSet current = ModelSet.None;

    internal ModelRegistry(Node node, IStore store)
    {
        this.node = node;
        this.store = store;
        acts = [.. store.LoadActs()];
        versions = [.. VersionsOf(acts).Select(Read)];
        current = new ModelSet(
            acts.Count, Compile(ActiveNumber(ModelTarget.Propensity)), Compile(ActiveNumber(ModelTarget.PreDueRisk)), Compile(ShadowNumber()))
        { PropensitySinceMs = acts.LastOrDefault(act => IsActivation(act, ModelTarget.Propensity))?.AtMs ?? 0 };
    }

    /// <summary>What partitions score with, or will from their next slice on.</summary>
    public ModelSet Current => current;

    /// <summary>Every version, in the order in which they were added.</summary>
    public IReadOnlyList<RegisteredModel> Versions => versions;

    /// <summary>Every change ever made, in order.</summary>
    public IReadOnlyList<ConfigurationAct> Acts
    {
        get
        {
            lock (acts)
                return [.. acts];
        }
    }

    /// <summary>The version that a score names; null for 0 and for what the registry does not have.</summary>
    public RegisteredModel? Find(ushort number) => number >= 1 && number <= versions.Count ? versions[number - 1] : null;

    public RegisteredModel? Find(string name, string version) => versions.FirstOrDefault(v => v.Manifest.Name == name && v.Manifest.Version == version);

    /// <summary>Adds a version; adding the same again changes nothing.</summary>
    /// <param name="name">What it is called if it has no manifest.</param>
    /// <param name="by">Who does it.</param>
    /// <exception cref="StoreUnavailableException">Nothing was changed; try again.</exception>
    public Task<RegistryResult> AddAsync(string name, ModelFiles files, string by)
    {
        // Reading a large model takes seconds: not under the gate.
        ScoringModel? model = ScoringModel.Create(name, files, out string error);
        return model is null ? Task.FromResult(new RegistryResult(RegistryStatus.Refused, null, error)) : ChangeAsync(() => Add(model, by));
    }

    /// <summary>Makes a version the active one of its target; the book is scored anew in the background.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was changed; try again.</exception>
    public Task<RegistryResult> ActivateAsync(string name, string version, string by) =>
        ChangeAsync(() => Find(name, version) is { } found ? Activate(found, ConfigurationActKind.Activated, by) : Missing(name, version));

    /// <summary>Makes the version active again that was active before the present one; again, the one before that.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was changed; try again.</exception>
    public Task<RegistryResult> RollBackAsync(ModelTarget target, string by) => ChangeAsync(() =>
    {
        IReadOnlyList<int> path = ActivationPath(target);
        return path.Count < 2
            ? new RegistryResult(RegistryStatus.Refused, null, $"{ModelTargets.NameOf(target)}: there is no version before the active one to go back to")
            : Activate(versions[path[^2] - 1], ConfigurationActKind.RolledBack, by);
    });

    /// <summary>Lets a version score everybody besides the active one, without acting.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was changed; try again.</exception>
    public Task<RegistryResult> ShadowAsync(string name, string version, string by) =>
        ChangeAsync(() => Find(name, version) is { } found ? Shadow(found, by) : Missing(name, version));

    /// <summary>Ends the shadow.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was changed; try again.</exception>
    public Task<RegistryResult> EndShadowAsync(string by) => ChangeAsync(() =>
    {
        if (current.Shadow is not { } shadow)
            return new RegistryResult(RegistryStatus.Done, null, "there is no shadow");
        Commit(ConfigurationActKind.ShadowEnded, shadow.Target, shadow.Number, by);
        Use(current with { Shadow = null });
        return new RegistryResult(RegistryStatus.Done, Find(shadow.Number));
    });

    /// <summary>Looks how a model does in the partitions that run here; those that have stopped are left out.</summary>
    public async Task<ModelHealth> WatchAsync(ScoringModel model)
    {
        var tally = new HealthTally(model);
        await node.Surveys.WatchAsync(node.Owned, tally, CancellationToken.None);
        return tally.Result();
    }

    /// <summary>Takes over what other nodes have changed meanwhile, if anything.</summary>
    /// <exception cref="StoreUnavailableException">It can't be found out now; try again.</exception>
    public async Task RefreshAsync()
    {
        if (await Task.Run(() => store.LoadActs().Count) == Acts.Count)
            return;
        await ChangeAsync(() =>
        {
            Reload();
            return new RegistryResult(RegistryStatus.Done, null);
        });
    }

    public void Dispose() => gate.Dispose();

    /// <summary>What was found when a model of the target was last looked at; null: not since the node started.</summary>
    internal WatchedModel? LastWatched(ModelTarget target) => watched.GetValueOrDefault(target);

    /// <summary>All that runs here has been looked through: the gauges tell of it.</summary>
    internal void OnWatched(HealthTally tally) => watched[tally.Model.Target] = new WatchedModel(tally.Model, tally.Result(), node.Cadence.GetTimestamp());

    /// <summary>Before the partitions start: what a new registry begins with.</summary>
    internal void Begin(ScoringModel? model, bool activate)
    {
        if (model is null)
            return;
        RegistryResult added = OnWhatIsThere(() => Add(model, "start"));
        if (added.Version is not { } version)
        {
            // What is active stays; a model that nobody asked for keeps no node from starting.
            if (!activate && ActiveNumber(model.Target) != 0)
                return;
            throw new ModelRefusedException(added.Reason);
        }
        bool isActive = ActiveNumber(model.Target) == version.Number;
        if (!isActive && (activate || ActiveNumber(model.Target) == 0))
            OnWhatIsThere(() => Activate(version, ConfigurationActKind.Activated, "start"));
    }

    private async Task<RegistryResult> ChangeAsync(Func<RegistryResult> change)
    {
        await gate.WaitAsync();
        try
        {
            ModelSet before = current;
            // The store waits for the disk; the caller's thread does not.
            RegistryResult result = await Task.Run(() => OnWhatIsThere(change));
            if (current != before)
                await InstallAsync(current);
            return result;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Another node may have changed the registry a moment ago: then the change is made again, on what is there now.</summary>
    private RegistryResult OnWhatIsThere(Func<RegistryResult> change)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return change();
            }
            catch (StoreFencedException) when (attempt < Limits.RegistryAttemptsMax)
            {
                Reload();
            }
        }
    }

    /// <summary>What the store has now; a model that is in use already is not read again.</summary>
    private void Reload()
    {
        // Nothing is taken over before everything has been read.
        IReadOnlyList<ConfigurationAct> found = store.LoadActs();
        IReadOnlyList<ConfigurationVersion> added = [.. VersionsOf(found).Where(version => version.Number > versions.Count)];
        IReadOnlyList<ConfigurationAct> known = Acts;
        IReadOnlyList<RegisteredModel> knownVersions = versions;
        try
        {
            TakeOver(found);
            versions = [.. versions, .. added.Select(Read)];
            UseWhatIsActive();
        }
        catch
        {
            TakeOver(known);
            versions = knownVersions;
            throw;
        }
    }

    /// <summary>
    /// The versions that acts tell of, read after them: so every version that an act names is there. One that another node adds in between is left out,
    /// until its act is read, too.
    /// </summary>
    private IEnumerable<ConfigurationVersion> VersionsOf(IReadOnlyList<ConfigurationAct> told)
    {
        var added = told.Where(static act => act.Act == ConfigurationActKind.Added).Select(static act => act.Number).ToHashSet();
        return store.LoadVersions().Where(version => version.Kind == ConfigurationKind.Model && added.Contains(version.Number));
    }

    private void TakeOver(IReadOnlyList<ConfigurationAct> found)
    {
        lock (acts)
        {
            acts.Clear();
            acts.AddRange(found);
        }
    }

    private void UseWhatIsActive()
    {
        ModelSet before = current;
        ScoringModel? Used(int number) => new[] { before.Propensity, before.PreDueRisk, before.Shadow }.FirstOrDefault(model => model?.Number == number) ?? Compile(number);
        Use(new ModelSet(acts.Count, Used(ActiveNumber(ModelTarget.Propensity)), Used(ActiveNumber(ModelTarget.PreDueRisk)), Used(ShadowNumber()))
        {
            PropensitySinceMs = acts.LastOrDefault(static act => IsActivation(act, ModelTarget.Propensity))?.AtMs ?? 0,
        });
    }

    /// <summary>Hands the set to every partition; one that has stopped gets it when it is loaded again.</summary>
    private Task InstallAsync(ModelSet models) => Task.WhenAll(node.Owned.Select(number => InstallAsync(number, models)));

    private async Task InstallAsync(int number, ModelSet models)
    {
        try
        {
            await node.Ask(
                number,
                partition =>
                {
                    partition.Install(models);
                    return true;
                },
                isOrder: true);
        }
        catch (InvalidOperationException)
        {
            // Stopped, given up, or the node is shutting down: the store knows what is active.
        }
    }

    /// <summary>A partition runs here now; what changed while it was loaded is handed to it.</summary>
    /// <param name="loadedWith">What it scores with.</param>
    internal void OnTaken(PartitionHost host, ModelSet loadedWith)
    {
        if (current is var now && now != loadedWith)
            _ = InstallAsync(host.Number, now);
    }

    private RegistryResult Add(ScoringModel model, string by)
    {
        if (Find(model.Name, model.Version) is { } taken)
        {
            return taken.Sha256 == model.Sha256 && IsSame(taken, model.Files)
                ? new RegistryResult(RegistryStatus.Done, taken, "it was there already")
                : new RegistryResult(RegistryStatus.Taken, null, $"{taken} is another model already; a version never changes, so give this one a version of its own");
        }
        if (versions.Count >= Limits.VersionsMax)
            return new RegistryResult(RegistryStatus.Refused, null, $"the registry is full: {Limits.VersionsMax} versions");
        var number = (ushort)(versions.Count + 1);
        var version = new ConfigurationVersion(number, ConfigurationKind.Model, model.Name, model.Version);
        var documents = new List<ConfigurationDocument> { new(ModelDocument, Encoding.UTF8.GetBytes(model.Files.Text)) };
        if (model.Files.Manifest.Length > 0)
            documents.Add(new ConfigurationDocument(ManifestDocument, Encoding.UTF8.GetBytes(model.Files.Manifest)));
        ConfigurationAct act = Commit(ConfigurationActKind.Added, model.Target, number, by, version, documents);
        var added = new RegisteredModel(number, model.Manifest, model.Sha256, act.AtMs, by);
        versions = [.. versions, added];
        return new RegistryResult(RegistryStatus.Done, added);
    }

    private RegistryResult Activate(RegisteredModel version, ConfigurationActKind act, string by)
    {
        ModelTarget target = version.Manifest.Target;
        if (ActiveNumber(target) == version.Number)
            return new RegistryResult(RegistryStatus.Done, version, "it was active already");
        ScoringModel model = Compile(version.Number)!;
        ConfigurationAct done = Commit(act, target, version.Number, by);
        Use(target == ModelTarget.PreDueRisk ? current with { PreDueRisk = model } : current with { Propensity = model, PropensitySinceMs = done.AtMs });
        return new RegistryResult(RegistryStatus.Done, version);
    }

    private RegistryResult Shadow(RegisteredModel version, string by)
    {
        if (version.Manifest.Target != ModelTarget.Propensity)
            return new RegistryResult(RegistryStatus.Refused, version, $"{version} predicts {ModelTargets.NameOf(version.Manifest.Target)}; a shadow is compared in the queues, which propensity ranks");
        if (current.Shadow?.Number == version.Number)
            return new RegistryResult(RegistryStatus.Done, version, "it was the shadow already");
        ScoringModel model = Compile(version.Number)!;
        Commit(ConfigurationActKind.Shadowed, ModelTarget.Propensity, version.Number, by);
        Use(current with { Shadow = model });
        return new RegistryResult(RegistryStatus.Done, version);
    }

    private ConfigurationAct Commit(
        ConfigurationActKind kind, ModelTarget target, int number, string by, ConfigurationVersion? added = null, IReadOnlyList<ConfigurationDocument>? documents = null)
    {
        var act = new ConfigurationAct(acts.Count + 1, node.NowMs, by, ConfigurationKind.Model, kind, ModelTargets.NameOf(target), number);
        store.CommitConfiguration(act, added, documents ?? []);
        lock (acts)
            acts.Add(act);
        return act;
    }

    private void Use(ModelSet models) => current = models with { Revision = acts.Count };

    private static RegistryResult Missing(string name, string version) =>
        new(RegistryStatus.NotFound, null, $"the registry has no model '{name}' of version '{version}'; 'collections model list' shows what it has");

    private int ActiveNumber(ModelTarget target) => ActivationPath(target) is [.., int last] ? last : 0;

    private static bool IsActivation(ConfigurationAct act, ModelTarget target) =>
        act.Kind == ConfigurationKind.Model && act.Subject == ModelTargets.NameOf(target) && act.Act is (ConfigurationActKind.Activated or ConfigurationActKind.RolledBack);

    private int ShadowNumber() =>
        acts.LastOrDefault(act => act.Act is ConfigurationActKind.Shadowed or ConfigurationActKind.ShadowEnded) is { Act: ConfigurationActKind.Shadowed } shadowed ? shadowed.Number : 0;

    /// <summary>The versions that were active one after another, the active one last; a roll-back takes the one that it left away again.</summary>
    private List<int> ActivationPath(ModelTarget target)
    {
        var path = new List<int>();
        foreach (ConfigurationAct act in acts)
        {
            if (!IsActivation(act, target))
                continue;
            if (act.Act == ConfigurationActKind.Activated)
                path.Add(act.Number);
            else
                path.RemoveAt(path.Count - 1);
        }
        return path;
    }

    private bool IsSame(RegisteredModel version, ModelFiles files) => Encoding.UTF8.GetString(store.LoadDocument(version.Number, ManifestDocument) ?? []) == files.Manifest;

    private RegisteredModel Read(ConfigurationVersion version)
    {
        ModelFiles files = FilesOf(version.Number);
        ModelManifest manifest = files.ReadManifest(version.Name, out string error)
            ?? throw new StoreCorruptException($"the manifest of model {version.Name} {version.Version} in the store can't be read: {error}");
        ConfigurationAct added = acts.First(act => act.Act == ConfigurationActKind.Added && act.Number == version.Number);
        return new RegisteredModel((ushort)version.Number, manifest, files.Sha256, added.AtMs, added.By);
    }

    private ScoringModel? Compile(int number)
    {
        if (number == 0)
            return null;
        RegisteredModel version = versions[number - 1];
        ScoringModel model = ScoringModel.Create(version.Manifest.Name, FilesOf(number), out string error, (ushort)number)
            ?? throw new StoreCorruptException($"model {version} in the store can't be used by this version of the program: {error}; run the program that activated it, or a newer one");
        // The first pull need not wait for what its reasons take to compile.
        _ = Task.Run(() => model.Explainer);
        return model;
    }

    private ModelFiles FilesOf(int number) => new(
        Encoding.UTF8.GetString(store.LoadDocument(number, ModelDocument) ?? throw new StoreCorruptException($"the store has no model file of version {number}")),
        Encoding.UTF8.GetString(store.LoadDocument(number, ManifestDocument) ?? []));
}
