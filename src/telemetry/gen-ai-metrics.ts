import type { Reading } from "./instruments.ts";
import { names } from "./names.ts";

/** A family under the name that it goes by in OTLP; an attribute that is empty is left out. */
export interface OtlpReading {
  readonly name: string;
  readonly unit: string;
  readonly reading: Reading;
}

interface Convention {
  /** The family of ours that it is. */
  readonly of: string;
  readonly name: string;
  readonly unit: string;
  /** The attributes that stand for our labels, in their order. */
  readonly attributes: readonly string[];
  readonly operation: string;
  /** Only the series with this direction. */
  readonly direction?: string;
}

const chat = { operation: "chat", attributes: [names.requestModel, names.errorType] } as const;
const tokens = (direction: string, word: string): Convention => ({
  of: "openclaw_model_tokens_total",
  name: `gen_ai.client.inference.usage.${word}`,
  unit: "{token}",
  attributes: [names.requestModel, ""],
  operation: "chat",
  direction,
});

/** semantic-conventions-genai v0.1.0. */
const present: readonly Convention[] = [
  {
    of: "openclaw_model_call_duration_seconds",
    name: "gen_ai.client.inference.duration",
    unit: "s",
    ...chat,
  },
  {
    of: "openclaw_model_first_token_seconds",
    name: "gen_ai.client.inference.time_to_first_chunk",
    unit: "s",
    ...chat,
  },
  tokens("input", "input_tokens"),
  tokens("output", "output_tokens"),
  tokens("cached", "cache_read.input_tokens"),
  tokens("reasoning", "reasoning.output_tokens"),
  {
    of: "openclaw_turn_duration_seconds",
    name: "gen_ai.invoke_agent.duration",
    unit: "s",
    attributes: [names.errorType],
    operation: "invoke_agent",
  },
  {
    of: "openclaw_tool_duration_seconds",
    name: "gen_ai.execute_tool.duration",
    unit: "s",
    attributes: [names.toolName, names.errorType],
    operation: "execute_tool",
  },
];

/** v1.41 of the main conventions, which older dashboards read. */
const old: readonly Convention[] = [
  {
    of: "openclaw_model_call_duration_seconds",
    name: "gen_ai.client.operation.duration",
    unit: "s",
    ...chat,
  },
  {
    of: "openclaw_model_call_tokens",
    name: "gen_ai.client.token.usage",
    unit: "{token}",
    attributes: [names.requestModel, "gen_ai.token.type"],
    operation: "chat",
  },
];

const directionOf = ({ labels }: Reading, values: readonly string[]) => values[labels.indexOf("direction")];

function follow(reading: Reading, { attributes, operation, direction }: Convention): Reading {
  const labels = [...reading.labels.map((_, at) => attributes[at] ?? ""), names.operation];
  const status = attributes.indexOf(names.errorType);
  const values = (of: readonly string[]) => [
    // What went well has no `error.type`.
    ...of.map((value, at) => (attributes[at] === "" || (at === status && value === "ok") ? "" : value)),
    operation,
  ];
  const fits = (of: readonly string[]) => direction === undefined || directionOf(reading, of) === direction;
  if (reading.kind === "histogram") {
    const kept = reading.distributions.filter((each) => fits(each.labels));
    return {
      ...reading,
      labels,
      distributions: kept.map((each) => ({ ...each, labels: values(each.labels) })),
    };
  }
  const kept = reading.values.filter((each) => fits(each.labels));
  return { ...reading, labels, values: kept.map((each) => ({ ...each, labels: values(each.labels) })) };
}

/** Our families under the names of the conventions; `alsoOld`: under those of v1.41 too. */
export function genAiReadings(readings: readonly Reading[], alsoOld: boolean): readonly OtlpReading[] {
  const byName = new Map(readings.map((reading) => [reading.name, reading]));
  return [...present, ...(alsoOld ? old : [])].flatMap((convention) => {
    const reading = byName.get(convention.of);
    if (reading === undefined) return [];
    return { name: convention.name, unit: convention.unit, reading: follow(reading, convention) };
  });
}
