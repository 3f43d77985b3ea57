using System.Runtime.CompilerServices;

// The tokenizer and the formats are tested by tables of their own; nothing outside has a use for them.
[assembly: InternalsVisibleTo("Collections.Server.Tests")]
