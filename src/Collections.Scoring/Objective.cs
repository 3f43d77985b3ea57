namespace Collections.Scoring;

/// <summary>The training objectives that LightGBM names in a model file.</summary>
public enum ObjectiveKind
{
    /// <summary>No objective in the file (a custom one): the output is the raw score.</summary>
    None = 0,
    /// <summary>Squared error.</summary>
    Regression = 1,
    /// <summary>Absolute error.</summary>
    RegressionL1 = 2,
    /// <summary>Huber loss.</summary>
    Huber = 3,
    /// <summary>Fair loss.</summary>
    Fair = 4,
    /// <summary>Poisson regression (log link).</summary>
    Poisson = 5,
    /// <summary>Quantile regression.</summary>
    Quantile = 6,
    /// <summary>Mean absolute percentage error.</summary>
    Mape = 7,
    /// <summary>Gamma regression (log link).</summary>
    Gamma = 8,
    /// <summary>Tweedie regression (log link).</summary>
    Tweedie = 9,
    /// <summary>Binary log loss.</summary>
    Binary = 10,
    /// <summary>Softmax over classes.</summary>
    Multiclass = 11,
    /// <summary>One binary log loss a class.</summary>
    MulticlassOva = 12,
    /// <summary>Cross-entropy with labels in [0, 1].</summary>
    CrossEntropy = 13,
    /// <summary>The other parameterisation of cross-entropy.</summary>
    CrossEntropyLambda = 14,
    /// <summary>LambdaRank.</summary>
    LambdaRank = 15,
    /// <summary>XE-NDCG.</summary>
    RankXendcg = 16,
}

/// <summary>How a raw score becomes the model's output.</summary>
public enum OutputLink
{
    /// <summary>output = raw.</summary>
    Identity = 0,
    /// <summary>output = sign(raw) × raw², the inverse of training on square roots.</summary>
    SignedSquare = 1,
    /// <summary>output = e^raw.</summary>
    Exponential = 2,
    /// <summary>output = 1 / (1 + e^(−sigmoid × raw)), for each output by itself.</summary>
    Sigmoid = 3,
    /// <summary>output = softmax over the row's raw scores.</summary>
    Softmax = 4,
    /// <summary>output = ln(1 + e^raw).</summary>
    LogOnePlusExponential = 5,
}

/// <summary>An objective with the output transform that belongs to it.</summary>
/// <param name="Kind">What the model was trained for.</param>
/// <param name="Link">How its raw scores become outputs.</param>
/// <param name="Sigmoid">The slope of <see cref="OutputLink.Sigmoid"/>, above 0; 1 for every other link.</param>
public readonly record struct Objective(ObjectiveKind Kind, OutputLink Link, double Sigmoid);
