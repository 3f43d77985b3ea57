using System.Diagnostics;
using Collections.Server.Tests.EndToEnd;

namespace Collections.Server.Tests.Training;

/// <summary>
/// Runs only where a Python has LightGBM, and says so where none has: the one that the environment variable TRAINING_PYTHON names, else python3.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TrainingPythonFactAttribute : FactAttribute
{
    private static readonly string? Reason = WhyUnavailable();

    public TrainingPythonFactAttribute() => Skip = Reason;

    public static string Python => Environment.GetEnvironmentVariable("TRAINING_PYTHON") is { Length: > 0 } named ? named : "python3";

    private static string? WhyUnavailable()
    {
        string reason;
        try
        {
            using Process probe = CollectionsProcess.Start(Python, ["-c", "import numpy, lightgbm"]);
            string errors = probe.StandardError.ReadToEnd();
            probe.WaitForExit();
            if (probe.ExitCode == 0)
                return null;
            reason = errors.Trim().Split('\n')[^1];
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            reason = failure.Message;
        }
        Console.WriteLine($"The tests of models/train.py are skipped: {Python} can't import numpy and lightgbm ({reason}).");
        return $"{Python} can't import numpy and lightgbm: {reason}; name one that can in TRAINING_PYTHON";
    }
}
