using System.Runtime.CompilerServices;

namespace Collections.Scoring.Explanation;

/// <summary>One tree and a few rows, side by side: down with products, up with sums (see <see cref="Explainer"/>).</summary>
/// <remarks>
/// Its methods are compiled with all optimisations at their first call: without them vectors are structures in memory and every operation on
/// them a call, a hundred times slower, and who pulls first would wait for it.
/// </remarks>
/// <typeparam name="T">The rows' lanes.</typeparam>
internal readonly unsafe ref struct TreeWalk<T>
    where T : struct, ILanes<T>
{
    private readonly NodeHead* _heads;
    private readonly int _nodeCount;
    private readonly double* _constants;
    private readonly double* _ratios;
    private readonly int _points;
    private readonly double* _sides;
    private readonly double* _places;

    /// <param name="heads">The tree's nodes.</param>
    /// <param name="nodeCount">At least 1.</param>
    /// <param name="constants">Of all nodes of all trees.</param>
    /// <param name="ratios">r = t ÷ (1 − t) of each point.</param>
    /// <param name="points">Points of the quadrature.</param>
    /// <param name="sides">Lanes for each branch: 1 where the row passes all questions of its feature down to there.</param>
    /// <param name="places">Lanes for each leaf and point: on the way down the products of the paths' factors, on the way up the sums of the leaves.</param>
    public TreeWalk(NodeHead* heads, int nodeCount, double* constants, double* ratios, int points, double* sides, double* places)
    {
        _heads = heads;
        _nodeCount = nodeCount;
        _constants = constants;
        _ratios = ratios;
        _points = points;
        _sides = sides;
        _places = places;
    }

    private int Width => _points * T.Count;

    /// <summary>The products of all paths.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Down(double* ranks)
    {
        T one = T.Broadcast(1);
        int width = Width;
        double* ratios = _ratios;
        for (int i = 0; i < width; i += T.Count) one.Store(_places + i);
        double* right = _places + width;
        double* side = _sides + T.Count;
        NodeHead* end = _heads + _nodeCount;
        for (NodeHead* head = _heads; head < end; head++, right += width, side += 2 * T.Count)
        {
            double* constants = _constants + head->Constants;
            double* place = _places + (head->Place * width);
            T goesLeft = T.AtMost(T.Load(ranks + (head->Column * T.Count)), T.Broadcast(constants[0]));
            if (head->Ancestor == 0)
            {
                T goesRight = T.Subtract(one, goesLeft);
                goesLeft.Store(side);
                goesRight.Store(side + T.Count);
                Multiply(place, right, place + width, ratios, goesLeft, goesRight, constants);
            }
            else
            {
                T passed = T.Load(_sides + (head->Ancestor * T.Count));
                goesLeft = T.Multiply(passed, goesLeft);
                T goesRight = T.Subtract(passed, goesLeft);
                goesLeft.Store(side);
                goesRight.Store(side + T.Count);
                Replace(place, right, place + width, passed, goesLeft, goesRight, constants);
            }
        }
    }

    /// <summary>Turns the products at the leaves into what they add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WeighLeaves(double* weights)
    {
        double* end = _places + ((_nodeCount + 1) * Width);
        for (double* place = _places; place < end; place += T.Count) T.Multiply(T.Load(place), T.Broadcast(*weights++)).Store(place);
    }

    /// <summary>Sums the leaves below each branch, and adds to its feature what it contributes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Up(double* sums)
    {
        int width = Width;
        double* right = _places + (_nodeCount * width);
        double* side = _sides + (((2 * (_nodeCount - 1)) + 1) * T.Count);
        for (NodeHead* head = _heads + _nodeCount - 1; head >= _heads; head--, right -= width, side -= 2 * T.Count)
        {
            double* constants = _constants + head->Constants + TreeTables.FixedConstants;
            double* place = _places + (head->Place * width);
            double* sum = sums + (head->Feature * T.Count);
            T below, leftPart, rightPart;
            if (head->Ancestor == 0)
            {
                (below, leftPart, rightPart) = Gather(place, right, place + width, constants);
            }
            else
            {
                (below, leftPart, rightPart) = GatherAgain(place, right, place + width, constants);
                below = T.Multiply(below, T.Load(_sides + (head->Ancestor * T.Count)));
            }

            T total = T.Subtract(T.Load(sum), below);
            total = T.MultiplyAdd(T.Load(side), leftPart, total);
            T.MultiplyAdd(T.Load(side + T.Count), rightPart, total).Store(sum);
        }
    }

    /// <summary>A feature that is new on the path: another factor z + o r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(double* place, double* right, double* end, double* ratio, T goesLeft, T goesRight, double* constants)
    {
        T leftShare = T.Broadcast(constants[1]);
        T rightShare = T.Broadcast(constants[2]);
        for (; place < end; place += T.Count, right += T.Count, ratio++)
        {
            T product = T.Load(place);
            T r = T.Broadcast(*ratio);
            T.Multiply(product, T.MultiplyAdd(goesLeft, r, leftShare)).Store(place);
            T.Multiply(product, T.MultiplyAdd(goesRight, r, rightShare)).Store(right);
        }
    }

    /// <summary>
    /// A feature that was asked above: its factor z' + o' r becomes z + o r, where z = share × z' and o is o' or 0. With c = r ÷ (z' + r),
    /// their quotient is share × (1 − o' c) + o c.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Replace(double* place, double* right, double* end, T passed, T goesLeft, T goesRight, double* constants)
    {
        T leftShare = T.Broadcast(constants[1]);
        T rightShare = T.Broadcast(constants[2]);
        T one = T.Broadcast(1);
        double* point = constants + TreeTables.FixedConstants;
        for (; place < end; place += T.Count, right += T.Count, point += TreeTables.ConstantsOfRepeated)
        {
            T product = T.Load(place);
            T c = T.Broadcast(point[0]);
            T rest = T.Multiply(product, T.MultiplySubtractFrom(passed, c, one));
            T kept = T.Multiply(product, c);
            T.MultiplyAdd(rest, leftShare, T.Multiply(kept, goesLeft)).Store(place);
            T.MultiplyAdd(rest, rightShare, T.Multiply(kept, goesRight)).Store(right);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (T Below, T Left, T Right) Gather(double* place, double* right, double* end, double* point)
    {
        T below = T.Zero;
        T leftPart = T.Zero;
        T rightPart = T.Zero;
        for (; place < end; place += T.Count, right += T.Count, point += TreeTables.ConstantsOfFirst)
        {
            T leftSum = T.Load(place);
            T rightSum = T.Load(right);
            T sum = T.Add(leftSum, rightSum);
            sum.Store(place);
            below = T.Add(below, sum);
            leftPart = T.MultiplyAdd(leftSum, T.Broadcast(point[0]), leftPart);
            rightPart = T.MultiplyAdd(rightSum, T.Broadcast(point[1]), rightPart);
        }

        return (below, leftPart, rightPart);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (T Below, T Left, T Right) GatherAgain(double* place, double* right, double* end, double* point)
    {
        T below = T.Zero;
        T leftPart = T.Zero;
        T rightPart = T.Zero;
        for (; place < end; place += T.Count, right += T.Count, point += TreeTables.ConstantsOfRepeated)
        {
            T leftSum = T.Load(place);
            T rightSum = T.Load(right);
            T sum = T.Add(leftSum, rightSum);
            sum.Store(place);
            leftPart = T.MultiplyAdd(leftSum, T.Broadcast(point[1]), leftPart);
            rightPart = T.MultiplyAdd(rightSum, T.Broadcast(point[2]), rightPart);
            below = T.MultiplyAdd(sum, T.Broadcast(point[3]), below);
        }

        return (below, leftPart, rightPart);
    }
}
