namespace Collections.Scoring.Explanation;

/// <summary>
/// Gauss–Legendre quadrature on [0, 1]: n points integrate every polynomial of degree 2n − 1 exactly. The points are the roots of the Legendre
/// polynomial of degree n, found by Newton's method from Tricomi's guess.
/// </summary>
internal sealed class GaussLegendre
{
    /// <summary>Newton's method doubles the digits at each step; from the guess, five are enough for n up to 32.</summary>
    private const int Steps = 8;

    private readonly double[] _points;
    private readonly double[] _weights;

    public GaussLegendre(int count)
    {
        _points = new double[count];
        _weights = new double[count];
        for (int i = 0; i < (count + 1) / 2; i++)
        {
            double x = Math.Cos(Math.PI * (i + 0.75) / (count + 0.5));
            double slope = 0;
            for (int step = 0; step < Steps; step++)
            {
                (double value, slope) = Legendre(count, x);
                x -= value / slope;
            }

            (_, slope) = Legendre(count, x);
            double weight = 1 / ((1 - (x * x)) * slope * slope);
            _points[i] = (1 - x) / 2;
            _points[count - 1 - i] = (1 + x) / 2;
            _weights[i] = weight;
            _weights[count - 1 - i] = weight;
        }
    }

    public int Count => _points.Length;

    /// <summary>The points t, ascending.</summary>
    public ReadOnlySpan<double> Points => _points;

    /// <summary>Their weights, which sum to 1.</summary>
    public ReadOnlySpan<double> Weights => _weights;

    /// <summary>1 − t with all its digits: the points lie symmetrically.</summary>
    public double Complement(int index) => _points[Count - 1 - index];

    /// <summary>The Legendre polynomial of a degree and its slope, by Bonnet's recursion.</summary>
    private static (double Value, double Slope) Legendre(int degree, double x)
    {
        double before = 1;
        double value = x;
        for (int k = 2; k <= degree; k++) (before, value) = (value, ((((2 * k) - 1) * x * value) - ((k - 1) * before)) / k);
        return (value, degree * ((x * value) - before) / ((x * x) - 1));
    }
}
