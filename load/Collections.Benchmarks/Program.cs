using BenchmarkDotNet.Running;
using Collections.Benchmarks;

// 'ratios [ROUNDS]' compares the compiled ensemble with its peers in turns; anything else goes to BenchmarkDotNet.
if (args is ["ratios", .. string[] rest])
    return ScoringRatios.Run(rest.Length > 0 && int.TryParse(rest[0], out int rounds) ? rounds : 15);
return BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args).Any() ? 0 : 1;
