using System.CommandLine;
using System.Globalization;
using System.Text;
using Collections.Scoring;
using Collections.Server.Import;

namespace Collections.Server.Commands;

/// <summary><c>collections score</c>: rows of features in, scores out.</summary>
internal static class ScoreCommand
{
    private const int BatchRows = 512;

    public static Command Build()
    {
        var model = new Option<string>("--model") { Description = "LightGBM model file (model.txt)", Required = true };
        var features = new Option<string>("--features") { Description = "CSV of features, one row a debtor; - reads standard input", Required = true };
        var noHeader = new Option<bool>("--no-header") { Description = "The file has no header: columns are taken by position" };
        var command = new Command("score", "Score rows of features with a LightGBM model: a CSV 'raw,probability' a row") { model, features, noHeader };
        command.SetAction(arguments => Run(arguments.GetValue(model)!, arguments.GetValue(features)!, arguments.GetValue(noHeader)));
        return command;
    }

    private static int Run(string modelPath, string featuresPath, bool noHeader)
    {
        try
        {
            ModelReadResult read = LightGbmModelReader.Read(File.ReadAllText(modelPath));
            if (read.Model is null)
                return Output.Fail($"{modelPath}: {read.Error}");
            using Stream stream = featuresPath == "-" ? Console.OpenStandardInput() : File.OpenRead(featuresPath);
            var rows = new CsvTokenizer(stream, (byte)',');
            rows.SkipByteOrderMark();
            using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16);
            return Score(Ensemble.Compile(read.Model), rows, noHeader, featuresPath, output);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Output.Fail(failure.Message);
        }
    }

    private static int Score(Ensemble ensemble, CsvTokenizer csv, bool noHeader, string path, StreamWriter output)
    {
        int[] columns = [.. Enumerable.Range(0, ensemble.FeatureCount)];
        if (!noHeader && !TryMapColumns(ensemble, csv, columns, out string missing))
            return Output.Fail($"{path}: {missing}");
        output.Write(Header(ensemble.OutputCount));
        var rows = new double[BatchRows * ensemble.FeatureCount];
        int count = 0;
        for (CsvOutcome next = csv.Next(); next != CsvOutcome.End; next = csv.Next())
        {
            if (next == CsvOutcome.Broken)
                return Stop(output, $"{path}, line {csv.Line}: is broken ({csv.Fault}); mend it or leave it out");
            if (!TryReadRow(ensemble, csv, columns, rows.AsSpan(count * ensemble.FeatureCount, ensemble.FeatureCount), out string problem))
                return Stop(output, $"{path}, line {csv.Line}{problem}");
            if (++count == BatchRows)
                Flush(ensemble, rows, ref count, output);
        }
        Flush(ensemble, rows, ref count, output);
        return 0;
    }

    private static int Stop(StreamWriter output, string problem)
    {
        output.Flush();
        return Output.Fail(problem);
    }

    private static bool TryReadRow(Ensemble ensemble, CsvTokenizer csv, int[] columns, Span<double> row, out string problem)
    {
        problem = "";
        for (int i = 0; i < columns.Length; i++)
        {
            string name = ensemble.Model.FeatureNames[i];
            if (columns[i] >= csv.FieldCount)
                problem = $": has {csv.FieldCount} fields; column {columns[i] + 1} ({name}) is missing";
            else if (!TryParse(CsvRow.Decode(csv, Encoding.UTF8, columns[i]), out row[i]))
                problem = $", column {name}: '{CsvRow.Decode(csv, Encoding.UTF8, columns[i])}' is no number (empty or nan: missing)";
            if (problem.Length > 0)
                return false;
        }
        return true;
    }

    private static bool TryMapColumns(Ensemble ensemble, CsvTokenizer csv, int[] columns, out string missing)
    {
        missing = "the file is empty; it needs a header with the model's features, or --no-header";
        if (csv.Next() != CsvOutcome.Row)
            return false;
        string[] header = [.. Enumerable.Range(0, csv.FieldCount).Select(i => CsvRow.Decode(csv, Encoding.UTF8, i))];
        for (int i = 0; i < columns.Length; i++)
        {
            string name = ensemble.Model.FeatureNames[i];
            columns[i] = Array.IndexOf(header, name);
            if (columns[i] < 0)
            {
                missing = $"the header lacks the model's feature '{name}'; it has: {string.Join(", ", header)}";
                return false;
            }
        }
        return true;
    }

    private static bool TryParse(string field, out double value)
    {
        string text = field.Trim();
        value = double.NaN;
        if (text.Length == 0 || text.Equals("nan", StringComparison.OrdinalIgnoreCase) || text.Equals("NA", StringComparison.Ordinal))
            return true;
        if (text.TrimStart('+', '-').Equals("inf", StringComparison.OrdinalIgnoreCase))
        {
            value = text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    private static string Header(int outputs) => outputs == 1
        ? "raw,probability\n"
        : string.Join(',', Enumerable.Range(0, outputs).Select(k => $"raw_{k}").Concat(Enumerable.Range(0, outputs).Select(k => $"probability_{k}"))) + "\n";

    private static void Flush(Ensemble ensemble, double[] rows, ref int count, StreamWriter output)
    {
        var raw = new double[count * ensemble.OutputCount];
        var probability = new double[raw.Length];
        ensemble.PredictRaw(rows.AsSpan(0, count * ensemble.FeatureCount), count, raw);
        ensemble.Transform(raw, count, probability);
        for (int row = 0; row < count; row++)
        {
            for (int k = 0; k < 2 * ensemble.OutputCount; k++)
            {
                if (k > 0)
                    output.Write(',');
                double value = k < ensemble.OutputCount ? raw[row * ensemble.OutputCount + k] : probability[row * ensemble.OutputCount + k - ensemble.OutputCount];
                output.Write(value.ToString("R", CultureInfo.InvariantCulture));
            }
            output.Write('\n');
        }
        count = 0;
    }
}
