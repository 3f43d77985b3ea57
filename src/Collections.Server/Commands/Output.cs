using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Collections.Server.Commands;

/// <summary>How commands talk: tables and bars for people on standard output or error, one JSON object a line for programs.</summary>
internal static class Output
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Columns of a table that goes into a file or a pipe, where there is no window to fit.</summary>
    private const int WidthWithoutWindow = 160;

    /// <summary>Results for people go to standard output; without colours where it is no terminal.</summary>
    public static IAnsiConsole Results { get; } = CreateResults();

    /// <summary>Progress and notes go to standard error, so that standard output stays the result.</summary>
    public static IAnsiConsole Notes { get; } = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(Console.Error),
        Ansi = Console.IsErrorRedirected ? AnsiSupport.No : AnsiSupport.Detect,
        ColorSystem = Console.IsErrorRedirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
    });

    public static void WriteJson<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, Json));

    /// <summary>An error that ends the command.</summary>
    /// <returns>The exit code: 2, nothing could be done.</returns>
    public static int Fail(string message)
    {
        Console.Error.WriteLine($"error: {message}");
        return 2;
    }

    public static void Warn(string message) => Console.Error.WriteLine($"warning: {message}");

    private static IAnsiConsole CreateResults()
    {
        if (!Console.IsOutputRedirected)
            return AnsiConsole.Console;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(Console.Out) });
        console.Profile.Width = WidthWithoutWindow;
        return console;
    }
}
