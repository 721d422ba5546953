import { cancelled } from "../errors.ts";
import { createClient } from "./client.ts";
import { canConnect, watchConnect } from "./connect.ts";
import { type AnswerAssembler, createAnswerAssembler } from "./deltas.ts";
import type { Llm } from "./llm.ts";
import type { ProviderModels } from "./models.ts";
import { type Payloads, readPayloads } from "./payloads.ts";
import type { Provider } from "./providers.ts";
import { createQuirks, type Lesson } from "./quirks.ts";
import { requestBody } from "./request-body.ts";
import { type Limit, startTimeouts, type Timeouts } from "./timeouts.ts";

/** How long a provider may take to end the stream after it said that the answer is done. */
const lingerMs = 1000;
/** What one call may find out about a model before it is given up. */
const mostLessons = 5;

/** A provider's models as an `Llm`: each call is one streamed chat completion, without retries. */
export function openAi(provider: Provider, models: Pick<ProviderModels, "defaultModel">): Llm {
  const { post, faults } = createClient(provider);
  const quirks = createQuirks();
  const isThere = provider.reachable ?? (() => canConnect(provider.endpoint));

  return async function* openAi(request) {
    if (request.signal.aborted) throw cancelled();
    const limits = limitsOf(provider, request.timeoutMs);
    const timeouts = startTimeouts(request.signal, limits);
    const connecting = watchConnect(provider.fetch ? 0 : provider.connectMs, isThere, timeouts.abort);
    let stream: Payloads | undefined;
    let answer: AnswerAssembler | undefined;
    let isAnswered = false;
    const traceparent = request.span?.traceparent;
    try {
      const model = request.model ?? (await models.defaultModel(timeouts.signal));
      const path = chatPath(provider, model);
      let sent = quirks.of(model);
      let body = requestBody(provider, model, request, sent);
      let trial: Lesson["trial"];
      let response: Response | undefined;
      for (let lessons = 0; response === undefined; lessons++) {
        try {
          response = await post(path, body, { signal: timeouts.signal, traceparent });
          trial?.succeeded();
        } catch (error) {
          const learned = lessons < mostLessons ? quirks.learn(model, request, sent, error) : undefined;
          if (learned === undefined) throw error;
          if (learned.said) yield learned.said;
          trial = learned.trial;
          sent = trial?.sent ?? quirks.of(model);
          body = requestBody(provider, model, request, sent);
        }
      }
      connecting.end();
      stream = readPayloads(response, faults);
      answer = createAnswerAssembler(model, faults, provider.name);
      while (!answer.ended()) {
        timeouts.listen(answer.begun());
        const payloads = await nextPayloads(stream, answer.whole);
        timeouts.heard();
        if (!payloads) break;
        for (const payload of payloads) {
          for (const event of answer.push(payload)) yield event;
        }
      }
      if (request.signal.aborted) throw cancelled();
      const whole = answer.finish(Buffer.byteLength(body));
      isAnswered = true;
      yield whole;
    } catch (error) {
      if (request.signal.aborted) throw cancelled();
      if (connecting.failed()) {
        const within = `${provider.connectMs / 1000} s (OPENCLAW_LLM_CONNECT_SECONDS)`;
        throw faults.timedOut(`took no connection within ${within}`);
      }
      const limit = timeouts.expired();
      if (limit) throw faults.timedOut(describeStop(limit, limits[limit], timeouts, stream, answer));
      throw error;
    } finally {
      connecting.end();
      const spent = isAnswered ? undefined : answer?.spent();
      if (spent) request.onBreak?.(spent);
      if (stream && isAnswered) void letGo(stream, timeouts);
      else {
        timeouts.abort();
        timeouts.end();
      }
    }
  };
}

/** A connection that is read to its end is used again; nobody waits for that. */
async function letGo(stream: Payloads, timeouts: Timeouts): Promise<void> {
  timeouts.detach();
  timeouts.shorten(lingerMs);
  await stream.drain();
  if (!stream.ended()) timeouts.abort();
  timeouts.end();
}

/** Azure has a path for each deployment, which is what a model is called there. */
const chatPath = ({ apiVersion }: Provider, model: string) =>
  apiVersion === undefined
    ? "/chat/completions"
    : `/openai/deployments/${encodeURIComponent(model)}/chat/completions?api-version=${encodeURIComponent(apiVersion)}`;

const limitsOf = ({ limits }: Provider, leftMs?: number) =>
  leftMs === undefined || leftMs >= limits.totalMs ? limits : { ...limits, totalMs: leftMs };

/** A connection that breaks after the finish reason has lost nothing but the usage. */
async function nextPayloads(stream: Payloads, whole: () => boolean) {
  try {
    return await stream.next();
  } catch (error) {
    if (whole()) return undefined;
    throw error;
  }
}

const settings: Readonly<Record<Limit, string>> = {
  firstTokenMs: "OPENCLAW_LLM_FIRST_TOKEN_SECONDS",
  silenceMs: "OPENCLAW_LLM_SILENCE_SECONDS",
  totalMs: "OPENCLAW_LLM_TIMEOUT_SECONDS",
};

/** Tells a provider that does not answer from one that fell silent and from one that is slow. */
function describeStop(
  limit: Limit,
  ms: number,
  timeouts: Timeouts,
  stream?: Payloads,
  answer?: AnswerAssembler,
): string {
  const stopped = `was stopped after ${ms / 1000} s${limit === "silenceMs" ? " of silence" : ""} (${settings[limit]})`;
  if (!stream) return `${stopped}: it had not begun to answer`;
  const where = answer?.begun() ? "in the middle of the answer" : "before the first token";
  return `${stopped} ${where}: it had sent nothing for ${(timeouts.silentMs() / 1000).toFixed(1)} s`;
}
