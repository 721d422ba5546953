import type { App } from "../call.ts";
import { isDiskFault } from "../../store/faults.ts";
import type { GatewayParts } from "../parts.ts";
import { json } from "../respond.ts";

/** Health for whoever watches the process; needs no login and tells nothing else. */
export function healthRoutes(app: App, parts: GatewayParts, isDraining: () => boolean): void {
  const { store, startedAt } = parts;
  const live = () => json({ status: "ok", uptime: Date.now() - startedAt });

  async function failing(): Promise<string | undefined> {
    if (isDraining()) return "draining";
    if (parts.isMemoryShort?.() === true) return "memory";
    return store.check().then(
      () => undefined,
      (error) => (isDiskFault(error) ? "disk" : "store"),
    );
  }

  app.get("/health", live);
  app.get("/health/live", live);
  app.get("/health/ready", async () => {
    const part = await failing();
    return part === undefined ? live() : json({ status: "unavailable", failing: part }, 503);
  });
}
