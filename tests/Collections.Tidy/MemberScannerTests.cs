namespace Collections.Tidy;

public sealed class MemberScannerTests
{
    private const string Source = """
        using System;

        namespace A.B;

        [Serializable]
        public sealed class Sample<T>(int size) : Comparer<T>(size) where T : new()
        {
            private readonly int[] _table = [1, 2];
            private readonly Func<int, int> _twice = static x => { return 2 * x; };

            static Sample()
            {
            }

            public (int A, int B) Pair(
                int a = 1)
            {
                if (a > 0) { Local("{"); }
                void Local(string text) { }
                return (a, size);
            }

            public int this[int index] { get => index; }

            public int Level { get; set; } = 5;

            public string Name
            {
                get
                {
                    return "";
                }
            }

            [Fact(Skip = "{")]
            public int Choose<U>(U u) => u switch
            {
                _ => 1,
            };

            public static bool operator ==(Sample<T> a, Sample<T> b) => a.Equals(b);

            public event Action Changed;

            public abstract void None();

            private enum Kind { A = 1, B }

            private record struct Inner(int X)
            {
                public int Y => X;
            }
        }

        public record Last(int X);
        """;

    [Fact]
    public void Members_run_from_their_signature_to_their_closing_brace()
    {
        (string, int)[] expected =
        [
            ("Sample", 3), ("Pair", 7), ("this", 1), ("Level", 1), ("Name", 7), ("Choose", 4), ("operator ==", 1), ("Y", 1),
        ];
        Assert.Equal(expected, MemberScanner.MembersOf(CSharpText.Read(Source)).Select(static member => (member.Name, member.Lines)));
    }

    [Fact]
    public void The_scanner_gets_through_every_file_and_finds_its_methods()
    {
        int found = Tree.Repository.CSharp.Sum(static file => MemberScanner.MembersOf(file.Code).Count);
        int arrowsAndBodies = Tree.Repository.CSharp.Sum(static file => Pattern.Of(@"\b(public|private|internal|protected)\b[^;{}=]*\)\s*(=>|\{)").Count(file.Code.Code));
        Assert.True(found > arrowsAndBodies / 2, $"{found} members, but {arrowsAndBodies} that look like one");
    }

    [Fact]
    public void A_method_of_the_longest_allowed_size_is_let_pass()
    {
        string body = string.Concat(Enumerable.Repeat("        Step();\n", SizeRules.MethodLinesMax - 3));
        Tree tree = Tree.Of(("src/A/Long.cs", $"class Long\n{{\n    void Walk()\n    {{\n{body}    }}\n}}\n"));
        Assert.Empty(RuleBook.Named("size-method").Check(tree));
        Assert.Equal(SizeRules.MethodLinesMax, Assert.Single(MemberScanner.MembersOf(tree.Files[0].Code)).Lines);
    }
}
