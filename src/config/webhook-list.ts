import * as v from "valibot";
import { Delivery } from "./job-list.ts";
import { jsonOf } from "./json-value.ts";

const text = (most: number) => v.pipe(v.string(), v.nonEmpty(), v.maxLength(most));

/** A machine that may say something: what becomes of the body of its request. */
const Webhook = v.strictObject({
  /** Text for the agent; `{body}` is the whole body, `{a.b.0}` what stands there in its JSON. */
  prompt: text(20_000),
  /** Id of the session (`webhook:<name>` when left out); may hold `{json.path}`. */
  session: v.optional(text(128)),
  agent: v.optional(text(64)),
  delivery: v.optional(Delivery),
  /** How the sender signs: `github` (also ours), `stripe`, `slack`. */
  signature: v.optional(v.picklist(["github", "stripe", "slack"]), "github"),
});
export type Webhook = v.InferOutput<typeof Webhook>;

const WebhookName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "names of small letters, digits and -"),
);

/** `{ "<name>": { "prompt", … } }`; the secrets stand in OPENCLAW_WEBHOOKS_<NAME>_SECRET. */
export const webhookList = jsonOf(
  v.optional(v.record(WebhookName, Webhook), {}),
  'JSON such as {"deploys": {"prompt": "A deploy ended: {body}", "session", "agent", "delivery", "signature"}}',
);
