using System.Runtime.InteropServices;
using System.Text;

namespace Collections.Benchmarks;

/// <summary>
/// LightGBM's C API, from the library that the environment variable <c>LIGHTGBM_LIBRARY</c> names: the peer that scores are held and
/// timed against. Raw scores, one thread.
/// </summary>
internal sealed unsafe class LightGbmLibrary : IDisposable
{
    private const int Float64 = 1;
    private const int RawScore = 1;
    private const int RowMajor = 1;
    private static readonly byte[] OneThread = Encoding.ASCII.GetBytes("num_threads=1\0");

    private readonly nint library;
    private readonly int featureCount;
    private readonly nint booster;
    private readonly nint fastConfig;
    private readonly delegate* unmanaged<nint, double*, int, int, int, int, int, int, byte*, long*, double*, int> singleRow;
    private readonly delegate* unmanaged<nint, double*, long*, double*, int> singleRowFast;
    private readonly delegate* unmanaged<nint, double*, int, int, int, int, int, int, int, byte*, long*, double*, int> batch;

    private LightGbmLibrary(string path, string modelText, int featureCount)
    {
        this.featureCount = featureCount;
        library = NativeLibrary.Load(path);
        singleRow = (delegate* unmanaged<nint, double*, int, int, int, int, int, int, byte*, long*, double*, int>)NativeLibrary.GetExport(library, "LGBM_BoosterPredictForMatSingleRow");
        singleRowFast = (delegate* unmanaged<nint, double*, long*, double*, int>)NativeLibrary.GetExport(library, "LGBM_BoosterPredictForMatSingleRowFast");
        batch = (delegate* unmanaged<nint, double*, int, int, int, int, int, int, int, byte*, long*, double*, int>)NativeLibrary.GetExport(library, "LGBM_BoosterPredictForMat");
        var load = (delegate* unmanaged<byte*, int*, nint*, int>)NativeLibrary.GetExport(library, "LGBM_BoosterLoadModelFromString");
        var fastInit = (delegate* unmanaged<nint, int, int, int, int, int, byte*, nint*, int>)NativeLibrary.GetExport(library, "LGBM_BoosterPredictForMatSingleRowFastInit");
        int iterations;
        nint handle;
        fixed (byte* text = Encoding.UTF8.GetBytes(modelText + "\0"))
        fixed (byte* parameters = OneThread)
        {
            Check(load(text, &iterations, &handle));
            booster = handle;
            Check(fastInit(booster, RawScore, 0, -1, Float64, featureCount, parameters, &handle));
            fastConfig = handle;
        }
    }

    /// <summary>Loads the model into the library; null when the environment names none.</summary>
    public static LightGbmLibrary? TryLoad(string modelText, int featureCount)
    {
        string? path = Environment.GetEnvironmentVariable("LIGHTGBM_LIBRARY");
        return string.IsNullOrEmpty(path) ? null : new LightGbmLibrary(path, modelText, featureCount);
    }

    public void SingleRow(double* row, double* raw)
    {
        long length;
        fixed (byte* parameters = OneThread)
            Check(singleRow(booster, row, Float64, featureCount, RowMajor, RawScore, 0, -1, parameters, &length, raw));
    }

    public void SingleRowFast(double* row, double* raw)
    {
        long length;
        Check(singleRowFast(fastConfig, row, &length, raw));
    }

    public void Batch(double* rows, int rowCount, double* raw)
    {
        long length;
        fixed (byte* parameters = OneThread)
            Check(batch(booster, rows, Float64, rowCount, featureCount, RowMajor, RawScore, 0, -1, parameters, &length, raw));
    }

    public void Dispose()
    {
        ((delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "LGBM_FastConfigFree"))(fastConfig);
        ((delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "LGBM_BoosterFree"))(booster);
    }

    private void Check(int code)
    {
        if (code == 0)
            return;
        var lastError = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(library, "LGBM_GetLastError");
        throw new InvalidOperationException($"LightGBM refused: {Marshal.PtrToStringUTF8((nint)lastError())}");
    }
}
