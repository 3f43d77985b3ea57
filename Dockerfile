# The collections program with what it needs of the system, as a user without rights. docs/operations.md says how to run it.
#
#   docker build -t collections:0.1.0 .
#   docker run --rm collections:0.1.0 --help
#
# No HEALTHCHECK: the image also runs commands that end (kafka init, store migrate, import), and the port to ask is what --metrics says.
# docker-compose.yml and deploy/kubernetes ask /readyz and /healthz themselves.

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
WORKDIR /source
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

# First what decides which packages are restored, and nothing else, so that a change of the code does not restore them again.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/Collections.Domain/Collections.Domain.csproj src/Collections.Domain/
COPY src/Collections.Scoring/Collections.Scoring.csproj src/Collections.Scoring/
COPY src/Collections.Strategy/Collections.Strategy.csproj src/Collections.Strategy/
COPY src/Collections.Engine/Collections.Engine.csproj src/Collections.Engine/
COPY src/Collections.Storage/Collections.Storage.csproj src/Collections.Storage/
COPY src/Collections.Kafka/Collections.Kafka.csproj src/Collections.Kafka/
COPY src/Collections.Grpc/Collections.Grpc.csproj src/Collections.Grpc/
COPY src/Collections.Server/Collections.Server.csproj src/Collections.Server/
RUN dotnet restore src/Collections.Server/Collections.Server.csproj

COPY protos/ protos/
COPY reasons/ reasons/
COPY models/propensity/ models/propensity/
COPY src/ src/
# Analyzers judge the code where it is checked in; an image needs the program alone.
RUN dotnet publish src/Collections.Server/Collections.Server.csproj --configuration Release --no-restore -p:RunAnalyzers=false --output /app

# Ubuntu 24.04, as Microsoft ships no Debian images of .NET 10.
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble

# librdkafka is not inside Confluent's package as it is used here: it is the distribution's, which also mends it. Its 2.3 is newer than the 2.0.2 of
# Debian 12 that the tests run on. The last line ends the build should the package ever come without the file that is loaded.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends librdkafka1 \
    && rm -rf /var/lib/apt/lists/* \
    && ldconfig -p | grep --fixed-strings librdkafka.so.1

COPY --from=build /app /app

# The log or Kafka's archive, and the embedded store. A new volume takes its owner from here.
RUN mkdir /data && chown "$APP_UID:$APP_UID" /data
VOLUME /data
WORKDIR /data

# The base image names a port for web applications; nothing listens here but what --listen and --metrics say.
ENV PATH="/app:$PATH" ASPNETCORE_HTTP_PORTS=
# The base image's user app.
USER $APP_UID

# gRPC, and /metrics, /healthz, /readyz: where the shipped files let it listen.
EXPOSE 7700 7701
ENTRYPOINT ["collections"]
CMD ["--help"]
