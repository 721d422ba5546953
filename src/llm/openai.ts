import { cancelled } from "../errors.ts";
import { createClient } from "./client.ts";
import { startDeadline } from "./deadline.ts";
import { type AnswerAssembler, createAnswerAssembler } from "./deltas.ts";
import type { Llm } from "./llm.ts";
import type { ProviderModels } from "./models.ts";
import { type Payloads, readPayloads } from "./payloads.ts";
import type { Provider } from "./providers.ts";
import { requestBody } from "./request-body.ts";

/** How long a provider may take to end the stream after it said that the answer is done. */
const lingerMs = 1000;

/** A provider's model as an `Llm`: each call is one streamed chat completion, without retries. */
export function openAi(provider: Provider, models: Pick<ProviderModels, "defaultModel">): Llm {
  const { post, faults } = createClient(provider);

  return async function* openAi(request) {
    if (request.signal.aborted) throw cancelled();
    const deadline = startDeadline(request.signal, provider.timeoutMs);
    let stream: Payloads | undefined;
    let answer: AnswerAssembler | undefined;
    try {
      const model = request.model ?? (await models.defaultModel(deadline.signal));
      const body = requestBody(model, request);
      stream = readPayloads(await post("/chat/completions", body, deadline.signal), faults);
      answer = createAnswerAssembler(model, faults);
      while (!answer.ended()) {
        const payloads = await nextPayloads(stream, answer.whole);
        if (!payloads) break;
        for (const payload of payloads) {
          for (const event of answer.push(payload)) yield event;
        }
      }
      if (request.signal.aborted) throw cancelled();
      yield answer.finish(Buffer.byteLength(body));
      // A connection that is read to its end is used again.
      deadline.shorten(lingerMs);
      await stream.drain();
    } catch (error) {
      if (request.signal.aborted) throw cancelled();
      if (deadline.expired()) throw faults.timedOut(describeStop(provider.timeoutMs, stream, answer));
      throw error;
    } finally {
      if (!stream?.ended()) deadline.abort();
      deadline.end();
    }
  };
}

/** A connection that breaks after the finish reason has lost nothing but the usage. */
async function nextPayloads(stream: Payloads, whole: () => boolean) {
  try {
    return await stream.next();
  } catch (error) {
    if (whole()) return undefined;
    throw error;
  }
}

/** Tells a provider that does not answer from one that fell silent and from one that is slow. */
function describeStop(timeoutMs: number, stream?: Payloads, answer?: AnswerAssembler): string {
  const stopped = `was stopped after ${timeoutMs / 1000} s (OPENCLAW_LLM_TIMEOUT_SECONDS)`;
  if (!stream) return `${stopped}: it had not begun to answer`;
  const where = answer?.begun() ? "in the middle of the answer" : "before the first token";
  return `${stopped} ${where}: it had sent nothing for ${(stream.silentMs() / 1000).toFixed(1)} s`;
}
