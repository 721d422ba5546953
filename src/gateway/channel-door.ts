import { Hono } from "hono";
import { AppError } from "../errors.ts";
import { count } from "../telemetry/metrics.ts";
import type { Arrival } from "./door.ts";
import { clientKey, type Peer } from "./proxies.ts";
import { errorResponse } from "./respond.ts";
import { createThrottle, wrongTokenLimits } from "./throttle.ts";

/** Where webhooks come in that this server knows: with their channel switched off there is nothing. */
const webhooks = /^\/(?:telegram|twilio|slack|webhooks)\//;

interface ChannelDoorParts {
  readonly peer: (arrival: Arrival) => Peer;
  /** Hears of requests without their proof. */
  readonly refused: (address: string) => void;
  readonly now?: () => number;
}

interface Env {
  readonly path: string;
}

/** Lets in what proves by itself who sent it: no token is asked for. Who sends wrong proofs is slowed down, right ones never. */
export function createChannelDoor(
  routes: readonly Hono[],
  { peer, refused, now = Date.now }: ChannelDoorParts,
) {
  const app = new Hono<{ Bindings: Env }>({ getPath: (_, options) => options?.env?.path ?? "/" });
  for (const each of routes) app.route("/", each);
  app.onError((error, c) => errorResponse(error, c.env.path));
  app.notFound((c) =>
    errorResponse(new AppError("not_found", `There is no ${c.env.path.slice(0, 200)} here.`), c.env.path),
  );
  const throttle = createThrottle({ ...wrongTokenLimits, now });

  return {
    isFor: ({ path }: Arrival) =>
      webhooks.test(path) || (routes.length > 0 && app.router.match("POST", path)[0].length > 0),

    /** Throws `rate_limited` for who sends too many wrong proofs. */
    async answer(arrival: Arrival): Promise<Response> {
      const { request, path } = arrival;
      const response = await app.fetch(request, { path });
      if (response.status !== 401) return response;
      count("totalRefusedWebhooks");
      const { address } = peer(arrival);
      refused(address);
      throttle.wrong(clientKey(address));
      return response;
    },
  };
}
