import { gather } from "../../telemetry/gather.ts";
import { readCounters, readGauges } from "../../telemetry/metrics.ts";
import { prometheusType, toPrometheus } from "../../telemetry/prometheus.ts";
import type { App } from "../call.ts";
import type { GatewayParts } from "../parts.ts";
import { json, safeHeaders } from "../respond.ts";

/** Whether a scraper asks, that would rather have text: JSON is what everybody else gets. */
function wantsText(accept: string | undefined): boolean {
  const types = accept?.split(",").map((each) => each.split(";")[0]?.trim().toLowerCase()) ?? [];
  const named = types.find(
    (type) => type === "application/json" || type === "text/plain" || type === "application/openmetrics-text",
  );
  return named !== undefined && named !== "application/json";
}

/** `GET /metrics`: the names that dashboards of OpenClaw.NET know, and ours beside them; for Prometheus all there is. */
export function metricsRoutes(app: App, parts: GatewayParts, connections: () => number): void {
  async function asText(): Promise<Response> {
    const headers = { ...safeHeaders, "content-type": prometheusType };
    return new Response(toPrometheus(await gather(parts.gauges ?? [])), { headers });
  }

  app.get("/metrics/prometheus", asText);
  app.get("/metrics", (c) => {
    if (wantsText(c.req.header("accept"))) return asText();
    const { running, waiting } = parts.turns.load();
    return json({
      ...readCounters(),
      activeSessions: running + waiting,
      ...readGauges(),
      turnsRunning: parts.slots?.running ?? 0,
      turnsWaiting: parts.slots?.waiting ?? 0,
      storeCommits: parts.store.commits(),
      webSocketConnections: connections(),
      uptimeMs: Date.now() - parts.startedAt,
      residentBytes: process.memoryUsage.rss(),
    });
  });
}
