using System.Runtime.InteropServices;

namespace Collections.Load;

/// <summary>Sleeps for microseconds where the system can; the runtime's own sleep knows milliseconds only, which is longer than many answers take.</summary>
internal static partial class Pause
{
    public static void For(TimeSpan duration)
    {
        if (!OperatingSystem.IsLinux())
        {
            Thread.Sleep(Math.Max(1, (int)duration.TotalMilliseconds));
            return;
        }
        (long seconds, long ticks) = Math.DivRem(duration.Ticks, TimeSpan.TicksPerSecond);
        // Ended early by a signal: the caller looks at the clock anyway.
        _ = nanosleep(new TimeSpec { Seconds = (nint)seconds, Nanoseconds = (nint)(ticks * TimeSpan.NanosecondsPerTick) }, IntPtr.Zero);
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int nanosleep(in TimeSpec request, IntPtr remaining);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
