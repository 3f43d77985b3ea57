namespace Collections.Scoring;

/// <summary>Reads the objective and its parameters; one that is not known, or a parameter it does not take, is refused.</summary>
internal static class ObjectiveReader
{
    public static ModelError? Read(ReadOnlySpan<char> text, ModelField field, int outputCount, out Objective objective)
    {
        objective = new Objective(ObjectiveKind.None, OutputLink.Identity, 1);
        if (!field.IsPresent) return null;
        ReadOnlySpan<char> list = field.In(text);
        if (!NumberText.TryTakeToken(ref list, out ReadOnlySpan<char> name)) return null;
        if (Known(name) is not Objective known)
        {
            return new ModelError(field.Line, "objective", $"The objective {NumberText.Quote(name)} is not known, so its output could not be reproduced. Save the model with LightGBM 2.2 to 4.6.");
        }

        objective = known;
        int declaredClasses = 0;
        while (NumberText.TryTakeToken(ref list, out ReadOnlySpan<char> token))
        {
            if (!TryParameter(token, ref objective, ref declaredClasses))
            {
                return new ModelError(field.Line, "objective", $"The parameter {NumberText.Quote(token)} is not valid for the objective {name}. Save the model again with LightGBM.");
            }
        }

        return CheckClasses(field.Line, objective.Kind, name, declaredClasses, outputCount);
    }

    private static Objective? Known(ReadOnlySpan<char> name) => name switch
    {
        "none" or "null" or "na" or "custom" => new Objective(ObjectiveKind.None, OutputLink.Identity, 1),
        "regression" => new Objective(ObjectiveKind.Regression, OutputLink.Identity, 1),
        "regression_l1" => new Objective(ObjectiveKind.RegressionL1, OutputLink.Identity, 1),
        "huber" => new Objective(ObjectiveKind.Huber, OutputLink.Identity, 1),
        "fair" => new Objective(ObjectiveKind.Fair, OutputLink.Identity, 1),
        "poisson" => new Objective(ObjectiveKind.Poisson, OutputLink.Exponential, 1),
        "quantile" => new Objective(ObjectiveKind.Quantile, OutputLink.Identity, 1),
        "mape" => new Objective(ObjectiveKind.Mape, OutputLink.Identity, 1),
        "gamma" => new Objective(ObjectiveKind.Gamma, OutputLink.Exponential, 1),
        "tweedie" => new Objective(ObjectiveKind.Tweedie, OutputLink.Exponential, 1),
        "binary" => new Objective(ObjectiveKind.Binary, OutputLink.Sigmoid, 1),
        "multiclass" => new Objective(ObjectiveKind.Multiclass, OutputLink.Softmax, 1),
        "multiclassova" => new Objective(ObjectiveKind.MulticlassOva, OutputLink.Sigmoid, 1),
        "cross_entropy" => new Objective(ObjectiveKind.CrossEntropy, OutputLink.Sigmoid, 1),
        "cross_entropy_lambda" => new Objective(ObjectiveKind.CrossEntropyLambda, OutputLink.LogOnePlusExponential, 1),
        "lambdarank" => new Objective(ObjectiveKind.LambdaRank, OutputLink.Identity, 1),
        "rank_xendcg" => new Objective(ObjectiveKind.RankXendcg, OutputLink.Identity, 1),
        _ => null,
    };

    private static bool TryParameter(ReadOnlySpan<char> token, ref Objective objective, ref int declaredClasses)
    {
        const string SigmoidPrefix = "sigmoid:";
        const string ClassesPrefix = "num_class:";
        if (token.SequenceEqual("sqrt"))
        {
            objective = objective with { Link = OutputLink.SignedSquare };
            return objective.Kind is ObjectiveKind.Regression or ObjectiveKind.RegressionL1 or ObjectiveKind.Fair or ObjectiveKind.Quantile or ObjectiveKind.Mape;
        }

        if (token.StartsWith(SigmoidPrefix, StringComparison.Ordinal))
        {
            bool valid = TrySigmoid(token[SigmoidPrefix.Length..], out double sigmoid);
            objective = objective with { Sigmoid = sigmoid };
            return valid && objective.Kind is ObjectiveKind.Binary or ObjectiveKind.MulticlassOva;
        }

        return token.StartsWith(ClassesPrefix, StringComparison.Ordinal)
            && NumberText.TryInt(token[ClassesPrefix.Length..], out declaredClasses)
            && objective.Kind is ObjectiveKind.Multiclass or ObjectiveKind.MulticlassOva;
    }

    private static ModelError? CheckClasses(int line, ObjectiveKind kind, ReadOnlySpan<char> name, int declaredClasses, int outputCount)
    {
        bool multiclass = kind is ObjectiveKind.Multiclass or ObjectiveKind.MulticlassOva;
        if (multiclass && declaredClasses != outputCount)
        {
            return new ModelError(line, "objective", $"The objective {name} is for {declaredClasses} classes, but num_class is {outputCount}. Save the model again with LightGBM.");
        }

        return multiclass || kind == ObjectiveKind.None || outputCount == 1 ? null
            : new ModelError(line, "objective", $"The objective {name} has one output, but num_class is {outputCount}. Save the model again with LightGBM.");
    }

    /// <summary>
    /// LightGBM reads this one number by a parser that is not correctly rounded: whole part + fraction ÷ 10ⁿ, then × or ÷ a power
    /// of ten. The same steps are taken here, so that the slope has the same bits. It writes at most six digits.
    /// </summary>
    private static bool TrySigmoid(ReadOnlySpan<char> token, out double value)
    {
        value = 1;
        if (!NumberText.TryDouble(token, out double plain) || !double.IsFinite(plain) || plain <= 0 || token.Length > 16) return false;
        int at = token[0] == '+' ? 1 : 0;
        double whole = 0;
        for (; at < token.Length && char.IsAsciiDigit(token[at]); at++) whole = (whole * 10.0) + (token[at] - '0');
        if (at < token.Length && token[at] == '.')
        {
            double fraction = 0;
            double power = 1;
            for (at++; at < token.Length && char.IsAsciiDigit(token[at]); at++)
            {
                fraction = (fraction * 10.0) + (token[at] - '0');
                power *= 10.0;
            }

            whole += fraction / power;
        }

        value = at < token.Length ? Scale(whole, token[(at + 1)..]) : whole;
        return value > 0 && double.IsFinite(value);
    }

    private static double Scale(double value, ReadOnlySpan<char> exponentText)
    {
        if (!NumberText.TryInt(exponentText, out int exponent)) return double.NaN;
        double scale = 1;
        int left = Math.Min(Math.Abs(exponent), 308);
        for (; left >= 50; left -= 50) scale *= 1e50;
        for (; left >= 8; left -= 8) scale *= 1e8;
        for (; left > 0; left--) scale *= 10.0;
        return exponent < 0 ? value / scale : value * scale;
    }
}
