using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Grpc.Core;

/// <summary>The headers or trailers of a call: an ordered list in which a key may stand more than once.</summary>
public sealed class Metadata : IList<Metadata.Entry>
{
    /// <summary>Keys that end in this have bytes for values.</summary>
    public const string BinaryHeaderSuffix = "-bin";

    /// <summary>Metadata without entries, which can't be changed.</summary>
    public static readonly Metadata Empty = new(readOnly: true);

    private readonly List<Entry> entries = [];
    private readonly bool readOnly;

    /// <summary>Creates metadata without entries.</summary>
    public Metadata()
    {
    }

    private Metadata(bool readOnly) => this.readOnly = readOnly;

    /// <inheritdoc/>
    public int Count => entries.Count;

    /// <inheritdoc/>
    public bool IsReadOnly => readOnly;

    /// <inheritdoc/>
    public Entry this[int index]
    {
        get => entries[index];
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            RequireWritable();
            entries[index] = value;
        }
    }

    /// <summary>The last entry of a key, or null. A repeated key's last value is the one that counts.</summary>
    public Entry? Get(string key)
    {
        var normalized = Entry.NormalizeKey(key);
        return entries.FindLast(entry => entry.Key == normalized);
    }

    /// <summary>The last text value of a key, or null.</summary>
    public string? GetValue(string key) => Get(key)?.Value;

    /// <summary>The last binary value of a key, or null.</summary>
    [SuppressMessage("Performance", "CA1819", Justification = "The official signature.")]
    public byte[]? GetValueBytes(string key) => Get(key)?.ValueBytes;

    /// <summary>All entries of a key, in order.</summary>
    public IEnumerable<Entry> GetAll(string key)
    {
        var normalized = Entry.NormalizeKey(key);
        return entries.Where(entry => entry.Key == normalized);
    }

    /// <summary>Adds a text value.</summary>
    public void Add(string key, string value) => Add(new Entry(key, value));

    /// <summary>Adds a binary value; the key must end in "-bin".</summary>
    public void Add(string key, byte[] valueBytes) => Add(new Entry(key, valueBytes));

    /// <inheritdoc/>
    public void Add(Entry item)
    {
        ArgumentNullException.ThrowIfNull(item);
        RequireWritable();
        entries.Add(item);
    }

    /// <inheritdoc/>
    public void Insert(int index, Entry item)
    {
        ArgumentNullException.ThrowIfNull(item);
        RequireWritable();
        entries.Insert(index, item);
    }

    /// <inheritdoc/>
    public bool Remove(Entry item)
    {
        RequireWritable();
        return entries.Remove(item);
    }

    /// <inheritdoc/>
    public void RemoveAt(int index)
    {
        RequireWritable();
        entries.RemoveAt(index);
    }

    /// <inheritdoc/>
    public void Clear()
    {
        RequireWritable();
        entries.Clear();
    }

    /// <inheritdoc/>
    public bool Contains(Entry item) => entries.Contains(item);

    /// <inheritdoc/>
    public int IndexOf(Entry item) => entries.IndexOf(item);

    /// <inheritdoc/>
    public void CopyTo(Entry[] array, int arrayIndex) => entries.CopyTo(array, arrayIndex);

    /// <inheritdoc/>
    public IEnumerator<Entry> GetEnumerator() => entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private void RequireWritable()
    {
        if (readOnly)
            throw new InvalidOperationException("This metadata is shared and can't be changed; create one with new Metadata().");
    }

    /// <summary>One key with one value.</summary>
    public class Entry
    {
        private readonly string? text;
        private readonly byte[]? bytes;

        /// <summary>Creates an entry with a text value of printable ASCII characters.</summary>
        public Entry(string key, string value) : this(NormalizeKey(key), value, bytes: null)
        {
            ArgumentNullException.ThrowIfNull(value);
            if (IsBinary)
                throw new ArgumentException($"The key \"{key}\" ends in \"{BinaryHeaderSuffix}\", so that its value must be bytes.", nameof(key));
            if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
                throw new ArgumentException($"The value of \"{key}\" has characters outside printable ASCII; use a key that ends in \"{BinaryHeaderSuffix}\".", nameof(value));
        }

        /// <summary>Creates an entry with a binary value; the key must end in "-bin".</summary>
        public Entry(string key, byte[] valueBytes) : this(NormalizeKey(key), text: null, (byte[])valueBytes.Clone())
        {
            if (!IsBinary)
                throw new ArgumentException($"The key \"{key}\" has a binary value, so that it must end in \"{BinaryHeaderSuffix}\".", nameof(key));
        }

        private Entry(string key, string? text, byte[]? bytes)
        {
            Key = key;
            this.text = text;
            this.bytes = bytes;
        }

        /// <summary>The key, in lower case.</summary>
        public string Key { get; }

        /// <summary>Whether the value is bytes.</summary>
        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        /// <summary>The text value.</summary>
        public string Value => text ?? throw new InvalidOperationException($"The value of \"{Key}\" is binary.");

        /// <summary>The value as bytes; of a text value, its ASCII bytes.</summary>
        public byte[] ValueBytes => bytes is null ? Encoding.ASCII.GetBytes(text!) : (byte[])bytes.Clone();

        internal ReadOnlySpan<byte> BinaryValue => bytes;

        // What came over the wire is taken as it is: it was some other program's to check.
        internal static Entry Received(string key, string value) => new(key, value, bytes: null);

        internal static Entry Received(string key, byte[] valueBytes) => new(key, text: null, valueBytes);

        internal static string NormalizeKey(string key)
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            var lower = key.ToLowerInvariant();
            foreach (var c in lower)
            {
                if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '-' or '.'))
                    throw new ArgumentException($"The metadata key \"{key}\" may have only letters, digits, \"_\", \"-\" and \".\".", nameof(key));
            }

            return lower;
        }

        /// <inheritdoc/>
        public override string ToString() => bytes is null ? $"[Entry: key={Key}, value={text}]" : $"[Entry: key={Key}, {bytes.Length} bytes]";
    }
}
