import * as v from "valibot";
import { type ForeignObject, parseJson, readList, readObject, readText } from "./foreign-json.ts";

/**
 * What some providers put beside an answer or a call and demand back as it came: signatures of thoughts (Gemini),
 * reasoning beside tool calls (DeepSeek, Kimi), its encrypted form (OpenRouter). It is kept apart from the message, with
 * the name of its provider, and only that one is sent it again.
 */
const opaqueFields = ["extra_content", "thought_signature", "provider_specific_fields"] as const;

/** One signature has some thousand characters; more than all this is left out. */
const maxChars = 1024 * 1024;

/** The opaque fields of a delta, a message or a call; undefined when it has none. */
export function readOpaque(part: ForeignObject): ForeignObject | undefined {
  let found: Record<string, unknown> | undefined;
  for (const field of opaqueFields) {
    const value = part[field];
    if (value !== undefined && value !== null) found = { ...found, [field]: value };
  }
  return found;
}

export interface OpaqueParts {
  /** Takes one delta or message. */
  push(part: ForeignObject): void;
  /** All as the text of `Message.meta`; `calls` are what stood beside each call. Undefined when there is nothing. */
  finish(provider: string, calls: readonly (ForeignObject | undefined)[]): string | undefined;
}

/** Collects what is opaque in an answer. */
export function createOpaqueParts(): OpaqueParts {
  let fields: ForeignObject | undefined;
  let reasoning = "";
  const details: unknown[] = [];
  let detailChars = 0;
  return {
    push(part) {
      const found = readOpaque(part);
      if (found) fields = { ...fields, ...found };
      reasoning += readText(part.reasoning_content);
      for (const detail of readList(part.reasoning_details)) {
        detailChars += JSON.stringify(detail).length;
        if (detailChars <= maxChars) details.push(detail);
      }
    },
    finish(provider, calls) {
      const message = {
        ...fields,
        // Without calls nobody wants it back, and some refuse it.
        ...(reasoning !== "" && calls.length > 0 && { reasoning_content: reasoning }),
        ...(details.length > 0 && { reasoning_details: details }),
      };
      if (Object.keys(message).length === 0 && !calls.some(Boolean)) return undefined;
      const meta = JSON.stringify({ provider, message, calls: calls.map((call) => call ?? {}) });
      return meta.length > maxChars ? undefined : meta;
    },
  };
}

const Fields = v.record(v.string(), v.unknown());
const Meta = v.object({ provider: v.string(), message: Fields, calls: v.array(Fields) });

/** The JSON text of a message with what its provider wants back, for that provider; for any other as it is. */
export function withOpaque(json: string, meta: string, provider: string): string {
  const parsed = v.safeParse(Meta, parseJson(meta));
  const message = readObject(parseJson(json));
  if (!parsed.success || !message || parsed.output.provider !== provider) return json;
  const { message: fields, calls } = parsed.output;
  const asked = readList(message.tool_calls).map((call, at) => ({ ...readObject(call), ...calls[at] }));
  return JSON.stringify({ ...message, ...fields, ...(asked.length > 0 && { tool_calls: asked }) });
}
