import * as v from "valibot";
import { connectEnvelopes, type Envelope } from "./envelope-client.ts";
import { type RunningExecutable, startExecutable } from "./executable.ts";
import { type ChatBody, scriptedModel, type Step } from "./model-server.ts";

export interface AskedCall {
  readonly name: string;
  /** An object, or the very text that the model sends. */
  readonly arguments: object | string;
}

/** How one call ended, as a client of `/ws` heard it. */
export interface HeardResult {
  /** `call_<n>` for the n-th call of its step, from 0 on. */
  readonly callId: string;
  readonly name: string;
  readonly status: string;
  readonly text: string;
  readonly reason?: string;
  /** What was shown while it ran. */
  readonly chunks: string;
}

export interface ToolRun extends AsyncDisposable {
  readonly server: RunningExecutable;
  /** The operator's. */
  readonly token: string;
  /** Base URL of the scripted model. */
  readonly modelUrl: string;
  /** What the model was asked last. */
  lastBody(): ChatBody | undefined;
  /** Has the model ask for these calls in one step; approves what asks, unless told otherwise. Throws when the turn fails. */
  run(
    calls: readonly AskedCall[],
    options?: { sessionId?: string; approve?: boolean },
  ): Promise<readonly HeardResult[]>;
  /** The same with one call. */
  call(
    name: string,
    args: object | string,
    options?: { sessionId?: string; approve?: boolean },
  ): Promise<HeardResult>;
}

/** Longer than any tool of a test may take. */
const patienceMs = 60_000;

const marker = "Please call: ";

/** What to say so that the model of `obey` asks for these calls in one step. */
export const pleaseCall = (calls: readonly AskedCall[]) => marker + JSON.stringify(calls);

const Calls = v.array(v.object({ name: v.string(), arguments: v.union([v.string(), v.looseObject({})]) }));

/** A model that asks for the calls that the newest user message lists, and then says that it is done. */
export function obey(body: ChatBody): Step {
  const at = body.messages.findLastIndex(
    ({ content }) => typeof content === "string" && content.startsWith(marker),
  );
  const asked = body.messages[at]?.content;
  const answered = body.messages.slice(at + 1).some(({ role }) => role === "tool");
  if (at < 0 || answered || typeof asked !== "string") return { text: "done" };
  return { calls: v.parse(Calls, JSON.parse(asked.slice(marker.length))) };
}

const Result = v.object({
  callId: v.string(),
  toolName: v.string(),
  text: v.string(),
  resultStatus: v.string(),
  reason: v.optional(v.string()),
});
const Chunk = v.object({ callId: v.string(), text: v.string() });

function resultsOf(heard: readonly Envelope[]): readonly HeardResult[] {
  const chunks = Map.groupBy(
    heard.filter(({ type }) => type === "tool_chunk").map((envelope) => v.parse(Chunk, envelope)),
    ({ callId }) => callId,
  );
  return heard
    .filter(({ type }) => type === "tool_result")
    .map((envelope) => v.parse(Result, envelope))
    .map(({ callId, toolName, text, resultStatus, reason }) => ({
      callId,
      name: toolName,
      status: resultStatus,
      text,
      ...(reason !== undefined && { reason }),
      chunks: (chunks.get(callId) ?? []).map((chunk) => chunk.text).join(""),
    }));
}

/**
 * The compiled executable with a scripted model, to use its tools over `/ws` as a model would. It has a token, and the
 * variables that are given.
 */
export async function startToolRun(
  env: Readonly<Record<string, string>>,
  options: { wrapper?: readonly string[] } = {},
): Promise<ToolRun> {
  const token = "the-tests-own-token";
  const model = scriptedModel(obey, { keep: 1 });
  try {
    const server = await startExecutable(
      {
        OPENCLAW_AUTH_TOKEN: token,
        MODEL_PROVIDER_ENDPOINT: model.url,
        MODEL_PROVIDER_KEY: "a-key-of-the-tests",
        MODEL_PROVIDER_MODEL: "scripted",
        ...env,
      },
      options,
    );
    const run: ToolRun["run"] = async (calls, { sessionId, approve = true } = {}) => {
      using client = await connectEnvelopes(server.url, token);
      const messageId = Bun.randomUUIDv7();
      client.send({
        type: "user_message",
        text: pleaseCall(calls),
        messageId,
        ...(sessionId !== undefined && { sessionId }),
      });
      for (;;) {
        const heard = await client.next(["typing_stop", "tool_approval_required"], undefined, patienceMs);
        if (heard.type === "typing_stop") break;
        client.send({ type: "tool_approval_decision", approvalId: heard["approvalId"], approved: approve });
      }
      const failed = client.heard.find(({ type }) => type === "error");
      if (failed !== undefined) throw new Error(`The turn failed: ${JSON.stringify(failed)}`);
      return resultsOf(client.heard);
    };
    return {
      server,
      token,
      modelUrl: model.url,
      lastBody: () => model.requests.at(-1)?.body,
      run,
      async call(name, args, options) {
        const [result] = await run([{ name, arguments: args }], options);
        if (result === undefined) throw new Error(`The call of ${name} gave no result.`);
        return result;
      },
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await model.close();
      },
    };
  } catch (error) {
    await model.close();
    throw error;
  }
}
