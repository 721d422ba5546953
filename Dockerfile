FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY . .
RUN npm run build && scripts/image/make-root.sh /image dist/openclaw

FROM scratch
COPY --from=build /image/ /
COPY --from=build --chown=10001:10001 /image/data /data
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
