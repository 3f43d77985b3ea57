using System.Runtime.CompilerServices;

// The load generator talks as the commands do, takes their Kafka settings, and names its hardware as the benchmark does.
[assembly: InternalsVisibleTo("Collections.Load")]
[assembly: InternalsVisibleTo("Collections.Load.Tests")]
