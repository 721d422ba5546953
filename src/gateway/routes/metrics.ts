import { readCounters, readGauges } from "../../telemetry/metrics.ts";
import type { App } from "../call.ts";
import type { GatewayParts } from "../parts.ts";
import { json } from "../respond.ts";

/** `GET /metrics`: the names that dashboards of OpenClaw.NET know, and ours beside them. */
export function metricsRoutes(app: App, parts: GatewayParts, connections: () => number): void {
  app.get("/metrics", () => {
    const { running, waiting } = parts.turns.load();
    return json({
      ...readCounters(),
      activeSessions: running + waiting,
      ...readGauges(),
      turnsRunning: running,
      turnsWaiting: waiting,
      storeCommits: parts.store.commits(),
      webSocketConnections: connections(),
      uptimeMs: Date.now() - parts.startedAt,
      residentBytes: process.memoryUsage.rss(),
    });
  });
}
