using Collections.Storage.Postgres;

namespace Collections.Storage.Tests;

public sealed class PostgresSettingsTests
{
    [Theory]
    [InlineData("Host=db;Username=ann", "PostgreSQL at db:5432, database ann, schema collections")]
    [InlineData("Host=db;Port=7;Database=book;Search Path=blue", "PostgreSQL at db:7, database book, schema blue")]
    [InlineData("postgresql://db", "PostgreSQL at db:5432, database of the user, schema collections")]
    [InlineData("postgres://ann:s%40cret@db:7/book?search_path=blue", "PostgreSQL at db:7, database book, schema blue")]
    [InlineData("postgresql://ann@a:1,b:2/book", "PostgreSQL at a:1,b:2, database book, schema collections")]
    [InlineData("postgresql://ann@[::1]:7/book", "PostgreSQL at ::1, database book, schema collections")]
    public void A_place_is_read_and_told_without_its_password(string text, string told) => Assert.Equal(told, PostgresSettings.Parse(text).ToString());

    [Fact]
    public void What_a_uri_says_is_passed_on()
    {
        var connection = PostgresSettings.Parse("postgresql://a%2Fb:p%3Aw@db:7/book%20one?sslmode=verify-full&sslrootcert=/ca.pem&application_name=x&connect_timeout=3&Maximum%20Pool%20Size=9").Connection;
        Assert.Equal(("a/b", "p:w", "db", 7, "book one"), (connection.Username, connection.Password, connection.Host, connection.Port, connection.Database));
        Assert.Equal((Npgsql.SslMode.VerifyFull, "/ca.pem", "x", 3, 9), (connection.SslMode, connection.RootCertificate, connection.ApplicationName, connection.Timeout, connection.MaxPoolSize));
    }

    [Fact]
    public void What_is_said_of_time_outs_holds_for_everything()
    {
        PostgresSettings silent = PostgresSettings.Parse("Host=db"), said = PostgresSettings.Parse("Host=db;Command Timeout=7");
        Assert.Equal((Limits.CommandSeconds, Limits.CheckpointCommandSeconds), (silent.Connection.CommandTimeout, silent.CheckpointSeconds));
        Assert.Equal((7, 7), (said.Connection.CommandTimeout, said.CheckpointSeconds));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Username=ann")]
    [InlineData("Host=db;Colour=blue")]
    [InlineData("Host=db;Port=x")]
    [InlineData("Host=db;Port=99999999999")]
    [InlineData("Host=db;Search Path=a,b")]
    [InlineData("Host=db;Search Path=Blue")]
    [InlineData("Host=db;Search Path=pg_blue")]
    [InlineData("Host=db;Search Path=a\"; DROP SCHEMA x; --")]
    [InlineData("postgresql://")]
    [InlineData("postgresql://db:port/x")]
    [InlineData("postgresql://db/x?sslmode=perhaps")]
    [InlineData("postgresql://db/x?colour=blue")]
    public void What_is_no_connection_is_refused_with_a_good_example(string text) =>
        Assert.Contains("postgresql://", Assert.Throws<StorageRefusedException>(() => PostgresSettings.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_refusal_does_not_show_the_password() =>
        Assert.DoesNotContain("s3cret", Assert.Throws<StorageRefusedException>(() => PostgresSettings.Parse("Host=db;Password=s3cret;Colour=blue")).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("a\0b", "a\\0b")]
    [InlineData("a\\b", "a\\\\b")]
    [InlineData("\\0\0\\", "\\\\0\\0\\\\")]
    public void Text_that_postgres_does_not_take_is_kept_all_the_same(string text, string stored)
    {
        Assert.Equal(stored, TextForm.Write(text));
        Assert.Equal(text, TextForm.Read(stored));
    }
}
