using System.Globalization;
using System.Runtime.InteropServices;

namespace Collections.Server.Bench;

/// <summary>What a figure was measured on; without it a figure says nothing.</summary>
internal static class Hardware
{
    public static string Describe()
    {
        string cpu = "unknown processor";
        const string info = "/proc/cpuinfo";
        if (File.Exists(info))
            cpu = File.ReadLines(info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? cpu;
        double gibibytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{cpu}, {Environment.ProcessorCount} cores, {gibibytes:N0} GiB, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
    }
}
