import { AppError } from "../errors.ts";
import { count } from "../telemetry/metrics.ts";
import type { LlmEvent, LlmRequest } from "./llm.ts";
import { hasPictures } from "./pictures.ts";

/** What a model turned out not to take. */
export interface Quirks {
  readonly refused: ReadonlySet<string>;
  readonly toolless: boolean;
  /** It takes no pictures of tool calls. */
  readonly pictureless?: boolean;
}

export interface Lesson {
  /** What is said of it to people; nothing when another call has learned the same meanwhile. */
  readonly said?: LlmEvent;
  /** A guess, for this call alone: what to leave out, and what to call when the request was taken so. */
  readonly trial?: { readonly sent: Quirks; readonly succeeded: () => void };
}

export interface QuirkBook {
  of(model: string): Quirks | undefined;
  /**
   * Reads a refusal: when it is about something that the request had (`sent` is what was left out of it) and can do
   * without, that is remembered, or tried if it is a guess, and the request may be made again. Undefined: the refusal
   * stands.
   */
  learn(model: string, request: LlmRequest, sent: Quirks | undefined, error: unknown): Lesson | undefined;
}

/** What only tunes an answer. A format, a stop or a choice of tools is relied on: without it the answer would be untrue. */
const tuning = [
  "frequency_penalty",
  "logit_bias",
  "max_completion_tokens",
  "max_tokens",
  "metadata",
  "min_p",
  "parallel_tool_calls",
  "presence_penalty",
  "prompt_cache_key",
  "reasoning_effort",
  "repetition_penalty",
  "safety_identifier",
  "seed",
  "service_tier",
  "store",
  "stream_options",
  "temperature",
  "top_k",
  "top_p",
  "user",
  "verbosity",
] as const;

const refusal =
  /un(?:supported|recognized|known|expected|permitted)|not (?:supported|permitted|allowed|recognized)|does(?: not|n't) support|extra[_ ](?:inputs|forbidden|fields)|no longer supported|deprecated|instead/i;
const noTools =
  /(?:does(?: not|n't)|do not) support (?:tools?|functions?)\b|\b(?:tools?|tool[ _](?:use|calling)|function[ _]calling|functions?)[`'"]? (?:is|are) not (?:supported|available)|no endpoints found that support tool use|tool choice requires --enable-auto-tool-choice/i;

const noPictures = /image|picture|vision|multi-?modal|mmproj|content must be (?:a )?string/i;
/** Servers of local models fail with 500 at what they cannot take. */
const pictureStatuses: ReadonlySet<number> = new Set([400, 404, 413, 415, 422, 500]);

const nothingRefused: Quirks = { refused: new Set(), toolless: false };
const maxModels = 1000;
/** For so long, because a strange value of one client may have been what was refused. */
const rememberedMs = 3_600_000;

/** Keeps what models of one provider refuse, so that each refuses it once. */
export function createQuirks(now: () => number = Date.now): QuirkBook {
  const book = new Map<string, Quirks & { readonly until: number }>();

  function of(model: string): Quirks | undefined {
    const known = book.get(model);
    return known && now() < known.until ? known : undefined;
  }

  function note(model: string, more: Partial<Quirks>) {
    const known = of(model) ?? nothingRefused;
    book.delete(model);
    book.set(model, { ...known, ...more, until: now() + rememberedMs });
    const [oldest] = book.keys();
    if (book.size > maxModels && oldest !== undefined) book.delete(oldest);
  }

  function withoutPictures(model: string): Lesson {
    if (of(model)?.pictureless) return {};
    note(model, { pictureless: true });
    return lesson("fallback", `${model} does not take this picture: it is told in words`);
  }

  /** A refusal that does not name pictures may be about anything: they are the cause if it is taken without them. */
  function tryWithoutPictures(model: string): Lesson {
    const known = of(model);
    if (known?.pictureless) return {};
    const sent = { ...(known ?? nothingRefused), pictureless: true };
    const succeeded = () => note(model, { pictureless: true });
    count("totalLlmRetries");
    return {
      ...lesson("retry", `${model} refused the request: asked again without its pictures`),
      trial: { sent, succeeded },
    };
  }

  return {
    of,
    learn(model, request, sent, error) {
      const upstream = error instanceof AppError ? error.upstream : undefined;
      const { status, said = "", param } = upstream ?? {};
      const showed = !sent?.pictureless && request.messages.some(hasPictures);
      if (showed && status !== undefined && noPictures.test(said) && pictureStatuses.has(status)) {
        return withoutPictures(model);
      }
      if (status !== 400 && status !== 422 && status !== 404)
        return showed && status === 413 ? tryWithoutPictures(model) : undefined;
      const known = of(model);
      if (request.tools.length > 0 && !sent?.toolless && noTools.test(said)) {
        if (known?.toolless) return {};
        note(model, { toolless: true });
        return lesson("fallback", `${model} takes no tools: it answers without them`);
      }
      const name = status === 404 ? undefined : refusedName(request, said, param);
      // Whatever it is: a picture in the history would have every later turn refused as well.
      if (name === undefined) return showed && status !== 404 ? tryWithoutPictures(model) : undefined;
      if (sent?.refused.has(name)) return undefined;
      if (known?.refused.has(name)) return {};
      note(model, { refused: new Set([...(known?.refused ?? []), name]) });
      count("totalLlmRetries");
      return lesson("retry", `${model} does not take ${name}: asked again without`);
    },
  };
}

const lesson = (code: "retry" | "fallback", text: string): Lesson => ({
  said: { type: "status", code, text },
});

/** The parameter of ours that a refusal is about, if the request can do without. */
function refusedName(request: LlmRequest, said: string, param: string | undefined): string | undefined {
  if (param === undefined ? !refusal.test(said) : !refusal.test(`${said} ${param}`)) return undefined;
  const isSent = (name: string) => name === "stream_options" || request.parameters[name] !== undefined;
  const sent = tuning.filter((name) => isSent(name) || (isLimit(name) && hasLimit(request)));
  if (param !== undefined) return sent.find((name) => name === param);
  // The one that is named first: the others are what to use instead.
  const places = sent.map((name) => ({ name, at: said.search(new RegExp(`\\b${name}\\b`)) }));
  return places.filter(({ at }) => at !== -1).sort((a, b) => a.at - b.at)[0]?.name;
}

const isLimit = (name: string) => name === "max_tokens" || name === "max_completion_tokens";
const hasLimit = ({ parameters }: LlmRequest) =>
  parameters.max_tokens !== undefined || parameters.max_completion_tokens !== undefined;
