using System.Diagnostics.CodeAnalysis;

namespace Collections.Scoring;

/// <summary>Why a model file was refused: where, what was seen there, and what to do about it.</summary>
/// <param name="Line">The line of the file, from 1; the last line read when something is missing.</param>
/// <param name="Key">The key at fault (<c>left_child</c>, <c>objective</c>), or the part of the file.</param>
/// <param name="Message">A whole sentence that shows the value seen and names the remedy.</param>
public sealed record ModelError(int Line, string Key, string Message)
{
    /// <summary>The error on one line, as it is shown to a person.</summary>
    public override string ToString() => $"line {Line}, {Key}: {Message}";
}

/// <summary>Either a model that will be reproduced exactly, or the reason why it was refused; never both, never neither.</summary>
public sealed class ModelReadResult
{
    private ModelReadResult(LightGbmModel? model, ModelError? error)
    {
        Model = model;
        Error = error;
    }

    /// <summary>The model, when it was read.</summary>
    public LightGbmModel? Model { get; }

    /// <summary>The reason, when it was refused.</summary>
    public ModelError? Error { get; }

    /// <summary>True when <see cref="Model"/> is there, false when <see cref="Error"/> is.</summary>
    [MemberNotNullWhen(true, nameof(Model))]
    [MemberNotNullWhen(false, nameof(Error))]
    public bool IsRead => Model is not null;

    internal static ModelReadResult Read(LightGbmModel model) => new(model, null);

    internal static ModelReadResult Refused(ModelError error) => new(null, error);
}
