using System.Text.Json;
using System.Text.Json.Serialization;
using Collections.Domain.Events;
using Collections.Engine.Logs;
using Collections.Storage.Sqlite;

namespace Collections.Storage.Logs;

/// <summary>The note of one partition of an archive: a small file beside its segments, written whole.</summary>
internal static class NoteFile
{
    public const string FileName = "note.json";

    private const int Version = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) } };

    /// <exception cref="StorageRefusedException">There is one, and it can't be read.</exception>
    public static ArchiveNote? Find(string directory)
    {
        string path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            Form form = JsonSerializer.Deserialize<Form>(File.ReadAllBytes(path), Json) ?? throw new JsonException("it is empty");
            if (form.Version != Version || form.Through is not { Length: EventKinds.StreamCount } through)
                throw new JsonException($"it has version {form.Version}, and this program reads version {Version}");
            return new ArchiveNote(new StreamPositions(through[0], through[1], through[2]), form.Behind, form.Lost ?? []);
        }
        catch (JsonException e)
        {
            throw new StorageRefusedException($"{path} can't be read: {e.Message}. Restore it from a copy, or remove it and run 'collections kafka archive', which writes it anew.", e);
        }
    }

    public static void Write(string directory, ArchiveNote note)
    {
        DurableFiles.CreateDirectory(directory);
        var form = new Form(Version, [note.Through.Invoices, note.Through.Payments, note.Through.Activity], note.IsBehind, note.Lost);
        DurableFiles.WriteWhole(Path.Combine(directory, FileName), JsonSerializer.SerializeToUtf8Bytes(form, Json));
    }

    /// <param name="Through">In the order of the streams.</param>
    private sealed record Form(int Version, long[]? Through, bool Behind, IReadOnlyList<LostPiece>? Lost);
}
