import { Hono } from "hono";
import { plainRequest } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import { rememberFor } from "../store/deliveries.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import type { MakeEntrance } from "./make-channel.ts";
import { deliveryText, readDelivery, unproved } from "./read-delivery.ts";
import { signatureShapes } from "./signatures.ts";
import { fillPrompt, fillSession, readWebhookBody } from "./webhook-template.ts";

const mostBodyBytes = 128 * 1024;

/** Thrown inside the commit of a turn, to undo it. */
class Repeated extends Error {}

const hash = (body: Uint8Array) => new Bun.CryptoHasher("sha256").update(body).digest("hex");

/** The challenge of an address that Slack asks to prove itself. */
function challengeOf(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null || !("type" in json) || json.type !== "url_verification")
    return undefined;
  return "challenge" in json && typeof json.challenge === "string" ? json.challenge : undefined;
}

/** `POST /webhooks/:name`: what a machine says, once it has proved itself, is a turn that nobody waits for. */
export const makeWebhooks: MakeEntrance = (settings, { accept, now = Date.now }) => {
  const { replayMs } = settings;
  const app = new Hono();

  app.post("/webhooks/:name", async (c) => {
    const name = c.req.param("name");
    // Read for each request: they can be replaced while the server runs.
    const { webhooks, webhookSecrets } = settings;
    const webhook = Object.hasOwn(webhooks, name) ? webhooks[name] : undefined;
    if (webhook === undefined) throw new AppError("not_found", `There is no webhook ${name.slice(0, 100)}.`);
    const body = await readDelivery(c.req.raw, mostBodyBytes);
    const { isSigned, header } = signatureShapes[webhook.signature];
    const secrets = Object.hasOwn(webhookSecrets, name) ? (webhookSecrets[name] ?? []) : [];
    if (!isSigned({ headers: c.req.raw.headers, body, secrets, now: now() })) throw unproved(header);
    const said = readWebhookBody(deliveryText(body));
    const challenge = webhook.signature === "slack" ? challengeOf(said.json) : undefined;
    if (challenge !== undefined) return c.json({ challenge });

    const principal = `webhook:${name}`;
    try {
      await accept(
        {
          sessionId: fillSession(webhook.session, name, said),
          principal: { name: principal, scope: "chat" },
          channel: "webhook",
          trace: c.req.header("traceparent"),
          text: fillPrompt(webhook.prompt, name, said),
          request: {
            ...plainRequest,
            ...(webhook.agent !== undefined && { agent: webhook.agent }),
            cause: { kind: "webhook", name },
            approver: "none",
          },
          ...(webhook.delivery !== undefined && { delivery: webhook.delivery }),
        },
        undefined,
        async (tx) => {
          // The body alone: a time that is signed as well differs each time it is sent.
          const delivery = { channel: principal, id: hash(body) };
          if (!(await rememberFor(tx, delivery, { now: now(), forMs: replayMs }))) throw new Repeated();
        },
      );
    } catch (error) {
      if (!(error instanceof Repeated)) throw error;
      log.info("a webhook's request was not run again: it came before", { webhook: name });
      return c.json({ repeated: true }, 202);
    }
    return c.json({ accepted: true }, 202);
  });
  return app;
};
