using System.Runtime.CompilerServices;

// The calendar of bills and pay-days is tested by tables of dates, not through events.
[assembly: InternalsVisibleTo("Collections.Server.Tests")]
