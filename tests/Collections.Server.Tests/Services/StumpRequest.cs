using Collections.Engine.Tests;
using Collections.V1;
using Google.Protobuf;

namespace Collections.Server.Tests.Services;

/// <summary>A stump on its way into the registry.</summary>
internal static class StumpRequest
{
    public static AddModelRequest Of(string version, string text, string target = "propensity", string more = "") => new()
    {
        Model = ByteString.CopyFromUtf8(text),
        Manifest = ByteString.CopyFromUtf8(StumpModel.Manifest("stump", version, target, more)),
    };
}
