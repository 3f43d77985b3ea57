namespace Collections.Scoring;

/// <summary>Raw scores to outputs, in the operations and the order that LightGBM uses, so that the bits agree.</summary>
internal static class OutputTransform
{
    /// <summary>Transforms in place; <paramref name="output"/> holds the raw scores, averaged already where they are to be.</summary>
    public static void Apply(in Objective objective, int outputCount, Span<double> output)
    {
        switch (objective.Link)
        {
            case OutputLink.Identity:
                return;
            case OutputLink.SignedSquare:
                foreach (ref double x in output) x = Sign(x) * x * x;
                return;
            case OutputLink.Exponential:
                foreach (ref double x in output) x = Math.Exp(x);
                return;
            case OutputLink.Sigmoid:
                foreach (ref double x in output) x = 1.0 / (1.0 + Math.Exp(-objective.Sigmoid * x));
                return;
            case OutputLink.Softmax:
                for (int row = 0; row < output.Length; row += outputCount) Softmax(output.Slice(row, outputCount));
                return;
            case OutputLink.LogOnePlusExponential:
                foreach (ref double x in output) x = LogOnePlus(Math.Exp(x));
                return;
            default:
                throw new InvalidOperationException($"The link {objective.Link} has no transform: the reader must refuse it.");
        }
    }

    /// <summary>−1, 0 or 1; 0 for NaN, where Math.Sign would throw.</summary>
    private static double Sign(double x) => (x > 0 ? 1 : 0) - (x < 0 ? 1 : 0);

    private static void Softmax(Span<double> row)
    {
        double largest = row[0];
        for (int i = 1; i < row.Length; i++) largest = row[i] < largest ? largest : row[i];
        double sum = 0;
        foreach (ref double x in row)
        {
            x = Math.Exp(x - largest);
            sum += x;
        }

        foreach (ref double x in row) x /= sum;
    }

    /// <summary>
    /// ln(1 + y) for y ≥ 0 to about one unit in the last place. Math.Log(1 + y) would lose all digits of a small y; the factor
    /// y ÷ ((1 + y) − 1) repairs what rounding 1 + y lost. .NET has no log1p of its own.
    /// </summary>
    private static double LogOnePlus(double y)
    {
        double u = 1.0 + y;
        if (u == 1.0) return y;
        return double.IsPositiveInfinity(u) ? u : Math.Log(u) * (y / (u - 1.0));
    }
}
