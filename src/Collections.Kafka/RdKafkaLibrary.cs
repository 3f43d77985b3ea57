using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Collections.Kafka;

/// <summary>Finds the system's librdkafka: Debian's package librdkafka1, under whatever name it is asked for.</summary>
public static class RdKafkaLibrary
{
    private const string SystemName = "librdkafka.so.1";

    private static readonly Lazy<string> Found = new(Find);

    /// <summary>Why it can't be used; empty if it can.</summary>
    public static string Problem => Found.Value;

    /// <exception cref="KafkaRefusedException">It is not installed.</exception>
    public static void Require()
    {
        if (Problem.Length > 0)
            throw new KafkaRefusedException(Problem);
    }

    private static string Find()
    {
        if (!NativeLibrary.TryLoad(SystemName, out IntPtr library))
            return $"{SystemName} is not installed; install it, on Debian by `apt-get install librdkafka1`";
        IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name.Contains("rdkafka", StringComparison.Ordinal) ? library : IntPtr.Zero;
        NativeLibrary.SetDllImportResolver(typeof(ProducerConfig).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(RdKafkaLibrary).Assembly, Resolve);
        return "";
    }
}
