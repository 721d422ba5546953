import * as v from "valibot";
import { jsonOf } from "./json-value.ts";

const name = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/i, "a name of letters, digits, . _ -"));
const text = (most: number) => v.pipe(v.string(), v.nonEmpty(), v.maxLength(most));

/** A specialist that work can be handed to, and that clients can talk to as a model. */
const AgentProfile = v.strictObject({
  name,
  description: text(1000),
  systemPrompt: v.optional(text(100_000)),
  model: v.optional(text(1000)),
  /** Names of the tools it may use, of those that are granted; all of them when left out. */
  tools: v.optional(v.pipe(v.array(text(64)), v.maxLength(200))),
  maxSteps: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000))),
  /** Tokens that one run may take, inside the budget of who asks. */
  tokens: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  timeoutSeconds: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(86_400))),
});
export type AgentProfile = v.InferOutput<typeof AgentProfile>;

const areDistinct = (items: AgentProfile[]) => new Set(items.map((item) => item.name)).size === items.length;

/** `[{ "name", "description", "systemPrompt", … }]`. */
export const agentList = jsonOf(
  v.optional(
    v.pipe(
      v.array(AgentProfile),
      v.maxLength(100),
      v.check(areDistinct, "names that differ from each other"),
    ),
    [],
  ),
  'a JSON list of {"name", "description", "systemPrompt", "model", "tools", "maxSteps", "tokens", "timeoutSeconds"}',
);
