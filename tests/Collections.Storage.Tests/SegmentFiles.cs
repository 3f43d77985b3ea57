using SQLitePCL;

namespace Collections.Storage.Tests;

/// <summary>Looks into and damages the files of a closed log or store, past the code under test.</summary>
internal static class SegmentFiles
{
    public static string[] Of(string directory, int partition) =>
        [.. Directory.GetFiles(Path.Combine(directory, "log", $"p{partition:0000}"), "*.segment").Order(StringComparer.Ordinal)];

    public static void Execute(string path, string sql)
    {
        Batteries_V2.Init();
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_open(path, out sqlite3 database));
        using (database)
        {
            int code = raw.sqlite3_exec(database, sql, null, null, out string error);
            Assert.True(code == raw.SQLITE_OK, error);
        }
    }

    public static List<long> Numbers(string path, string sql)
    {
        Batteries_V2.Init();
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_open(path, out sqlite3 database));
        using (database)
        {
            Assert.Equal(raw.SQLITE_OK, raw.sqlite3_prepare_v2(database, sql, out sqlite3_stmt statement));
            using (statement)
            {
                var found = new List<long>();
                while (raw.sqlite3_step(statement) == raw.SQLITE_ROW)
                    found.Add(raw.sqlite3_column_int64(statement, 0));
                return found;
            }
        }
    }

    /// <summary>Inverts one byte of a blob, without changing its length.</summary>
    public static void FlipByte(string path, string table, string where, int at)
    {
        Batteries_V2.Init();
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_open(path, out sqlite3 database));
        using (database)
        {
            long row = Numbers(path, $"SELECT rowid FROM {table} WHERE {where}").First();
            string column = table == "state" ? "image" : table is "held" or "dead_letter" ? "content" : "data";
            Assert.Equal(raw.SQLITE_OK, raw.sqlite3_blob_open(database, "main", table, column, row, 1, out sqlite3_blob blob));
            using (blob)
            {
                byte[] one = new byte[1];
                Assert.Equal(raw.SQLITE_OK, raw.sqlite3_blob_read(blob, one, at));
                one[0] ^= 0xff;
                Assert.Equal(raw.SQLITE_OK, raw.sqlite3_blob_write(blob, one, at));
            }
        }
    }
}
