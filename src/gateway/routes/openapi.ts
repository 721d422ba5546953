import type { App } from "../call.ts";
import type { GatewayParts } from "../parts.ts";
import { jsonText } from "../respond.ts";

/** `GET /openapi.json`; made when it is first asked for, because what makes it is big. */
export function openApiRoutes(app: App, { version }: GatewayParts): void {
  let text: string | undefined;
  app.get("/openapi.json", async () => {
    const { describeApi } = await import("../describe-api.ts");
    text ??= JSON.stringify(describeApi(version));
    return jsonText(text);
  });
}
