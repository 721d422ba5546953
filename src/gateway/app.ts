import { Hono } from "hono";
import { AppError, cancelled } from "../errors.ts";
import type { App, Env } from "./call.ts";
import type { Door } from "./door.ts";
import type { Logins } from "./logins.ts";
import { operationRoutes } from "./operations/http.ts";
import type { GatewayParts } from "./parts.ts";
import { errorResponse } from "./respond.ts";
import { doctorRoutes } from "./routes/doctor.ts";
import { healthRoutes } from "./routes/health.ts";
import { loginRoutes } from "./routes/login.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { openAiRoutes } from "./routes/openai.ts";
import { openApiRoutes } from "./routes/openapi.ts";
import { pairingRoutes } from "./routes/pairing.ts";
import { pageRoutes } from "./routes/page.ts";
import { responseRoutes } from "./routes/responses.ts";
import { toolsApproveRoutes } from "./routes/tools-approve.ts";

/** What changes while the gateway serves. */
export interface GatewayState {
  isDraining(): boolean;
  /** Open WebSocket connections. */
  connections(): number;
}

const methods = ["GET", "POST", "PUT", "DELETE"];

/** All HTTP routes. Who may come this far has been decided by the door; there is no middleware. */
export function createApp(parts: GatewayParts, door: Door, logins: Logins, state: GatewayState): App {
  // The door judges a path and the router routes it: both must see the same.
  const app: App = new Hono<Env>({ getPath: (_, options) => options?.env?.path ?? "/" });

  openAiRoutes(app, parts, state.isDraining);
  responseRoutes(app, parts, state.isDraining);
  healthRoutes(app, parts, state.isDraining);
  doctorRoutes(app, parts);
  operationRoutes(app, parts);
  toolsApproveRoutes(app, parts);
  pairingRoutes(app, parts);
  loginRoutes(app, door, logins);
  pageRoutes(app);
  metricsRoutes(app, parts, state.connections);
  openApiRoutes(app, parts);

  app.onError((error, c) => {
    // Whatever a wait said when its client left, it is no failure of ours.
    const left = c.req.raw.signal.aborted && !(error instanceof AppError);
    return errorResponse(left ? cancelled("The client went away.") : error, c.env.path);
  });
  app.notFound((c) => {
    const { method } = c.req.raw;
    const allow = methods.filter((other) => app.router.match(other, c.env.path)[0].length > 0);
    if (allow.length === 0)
      return errorResponse(
        new AppError("not_found", `There is no ${c.env.path.slice(0, 200)} here.`),
        c.env.path,
      );
    const refused = new AppError(
      "method_not_allowed",
      `${method} is not for ${c.env.path}: use ${allow.join(" or ")}.`,
    );
    const response = errorResponse(refused, c.env.path);
    response.headers.set("allow", allow.join(", "));
    return response;
  });
  return app;
}
