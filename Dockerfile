# Any Linux with glibc, Node 18 or later and npm.
ARG BASE=node:22-bookworm-slim
FROM ${BASE} AS build
WORKDIR /build
COPY . .
# /data on its own: --chown is for what is copied, and leaves a folder as it is that is there already.
RUN npm run image -- --root /image && mkdir /owned && mv /image/data /owned/

FROM scratch
COPY --from=build /image/ /
COPY --from=build --chown=10001:10001 /owned/ /
# The last one is for Bun, which otherwise has 256 model calls in flight at most: see src/linux/exec.ts.
ENV HOME=/data \
    OPENCLAW_BIND_ADDRESS=0.0.0.0 \
    OPENCLAW_DATA_DIR=/data \
    BUN_CONFIG_MAX_HTTP_REQUESTS=2000
USER 10001:10001
VOLUME /data
EXPOSE 18789
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/openclaw", "--health-check"]
ENTRYPOINT ["/openclaw"]
