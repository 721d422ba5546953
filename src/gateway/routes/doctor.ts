import type { App } from "../call.ts";
import type { GatewayParts } from "../parts.ts";
import { json, safeHeaders } from "../respond.ts";

/** `GET /doctor` and `/doctor/text`: the report of `--doctor`, by the server about itself; `?online=true` asks the providers too. */
export function doctorRoutes(app: App, { doctor }: GatewayParts): void {
  if (doctor === undefined) return;
  app.get("/doctor", async (c) => {
    // A provider may take its time, and a local one has to load its model first.
    c.env.setSlow(true);
    return json((await doctor({ online: c.req.query("online") === "true" })).json);
  });
  app.get("/doctor/text", async (c) => {
    c.env.setSlow(true);
    const { text } = await doctor({ online: c.req.query("online") === "true" });
    return new Response(`${text}\n`, {
      headers: { ...safeHeaders, "content-type": "text/plain; charset=utf-8" },
    });
  });
}
