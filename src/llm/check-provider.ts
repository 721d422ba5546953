import { AppError } from "../errors.ts";
import { createClient } from "./client.ts";
import { parseJson, readList, readObject } from "./foreign-json.ts";
import { type Ledger, withLedger } from "./ledger.ts";
import type { LlmRequest } from "./llm.ts";
import { userMessage } from "./message.ts";
import { maskSecrets } from "../telemetry/mask.ts";
import { createModels } from "./models.ts";
import { openAi } from "./openai.ts";
import { type Provider, settingOf } from "./providers.ts";
import { readBytes } from "./read-bytes.ts";
import { smallWindow } from "./windows.ts";

/** What is wrong with a provider, and what to do about it. */
export interface Verdict {
  readonly state: "ok" | "warn" | "fail";
  readonly problem?: "unreachable" | "key" | "url" | "model" | "tools" | "window" | "other";
  readonly text: string;
  readonly fix?: string;
}

const maxListBytes = 4 * 1024 * 1024;
const candidateTimeoutMs = 5000;
const namedModels = 10;
const leastWindow = 8192;

const tool = {
  name: "noop",
  json: JSON.stringify({
    type: "function",
    function: { name: "noop", description: "Does nothing.", parameters: { type: "object", properties: {} } },
  }),
};

/**
 * Asks a provider for its models and then for a few tokens with a tool on offer, and tells what is wrong: the address, the
 * key, the model, or that it takes no tools. With a ledger the tokens are written down there, and its budgets are kept.
 * Never throws but for an abort.
 */
export async function checkProvider(
  provider: Provider,
  signal: AbortSignal,
  ledger?: Ledger,
): Promise<Verdict> {
  if (provider.fetch) return { state: "ok", text: `${provider.name} answers from this executable` };
  try {
    const misplaced = await checkAddress(provider, signal);
    return misplaced ?? (await checkModel(provider, signal, ledger));
  } catch (error) {
    if (signal.aborted || !(error instanceof AppError)) throw error;
    return explain(provider, error, []);
  }
}

/** An address as it may be shown: it may hold a password. */
const shown = (endpoint: string) => maskSecrets(endpoint);

/** Looks whether there is an API at the address at all; a provider without a list of models passes. */
async function checkAddress(provider: Provider, signal: AbortSignal): Promise<Verdict | undefined> {
  if (provider.kind === "azure") return undefined;
  const found = await listsModels(provider, signal);
  if (found !== "nothing") return undefined;
  for (const endpoint of otherAddresses(provider.endpoint)) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(candidateTimeoutMs)]);
    const there = await listsModels({ ...provider, endpoint }, limit).catch(() => "nothing");
    if (there === "nothing") continue;
    return {
      state: "fail",
      problem: "url",
      text: `There is no API at ${shown(provider.endpoint)}, but there is one at ${shown(endpoint)}.`,
      fix: `Set ${settingOf(provider, "endpoint")} to ${shown(endpoint)}.`,
    };
  }
  return undefined;
}

/** `nothing`: what is at the address is no API. Throws when that cannot be told: no connection, a wrong key, a fault. */
async function listsModels(provider: Provider, signal: AbortSignal): Promise<"models" | "nothing"> {
  try {
    const answer = await createClient(provider).get("/models", signal);
    const list = parseJson(new TextDecoder().decode(await readBytes(answer, maxListBytes)));
    return Array.isArray(list) || readList(readObject(list)?.data).length > 0 ? "models" : "nothing";
  } catch (error) {
    const status = error instanceof AppError ? error.upstream?.status : undefined;
    if (status === 401 || status === 403) return "models";
    if (status !== undefined && status < 500 && status !== 429) return "nothing";
    throw error;
  }
}

/** The address without what was put behind it by mistake, with `/v1` once. Always the same host: the key goes there. */
function otherAddresses(endpoint: string): readonly string[] {
  const bare = endpoint.replace(/\/(?:chat\/completions|completions|responses|models)\/*$/, "");
  const single = bare.replace(/(?:\/v1){2,}$/, "/v1");
  const without = single.replace(/\/v1$/, "");
  const all = [bare, single, `${without}/v1`, without, `${without}/api/v1`, `${new URL(endpoint).origin}/v1`];
  return [...new Set(all)].filter((each) => each !== endpoint);
}

async function checkModel(provider: Provider, signal: AbortSignal, ledger?: Ledger): Promise<Verdict> {
  const models = createModels(provider);
  const free = openAi(provider, models);
  const llm = ledger === undefined ? free : withLedger(free, ledger, provider);
  const listed = await models.list(signal).then(
    (list) => list.map(({ id }) => id),
    () => [],
  );
  const request: LlmRequest = {
    messages: [userMessage("Answer with the word ok.")],
    tools: [tool],
    parameters: { max_tokens: 16 },
    account: { turnId: "doctor", principal: "operator", channel: "doctor" },
    signal,
  };
  let answeredBy = provider.model ?? "";
  let isToolless = false;
  try {
    for await (const event of llm(request)) {
      if (event.type === "status" && event.code === "fallback") isToolless = true;
      if (event.type === "answer") answeredBy = event.model;
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof AppError)) throw error;
    return explain(provider, error, listed);
  }
  if (isToolless)
    return {
      state: "warn",
      problem: "tools",
      text: `${answeredBy} of ${provider.name} answers, but takes no tools.`,
      fix: `Choose a model that takes tools with ${settingOf(provider, "model")}.`,
    };
  const window = await models.window(undefined, signal);
  if (window !== undefined && window < leastWindow)
    return { state: "warn", problem: "window", text: smallWindow(provider.kind, answeredBy, window) };
  return { state: "ok", text: `${answeredBy} of ${provider.name} answers, and takes tools` };
}

function explain(provider: Provider, error: AppError, listed: readonly string[]): Verdict {
  const text = error.message;
  const status = error.upstream?.status;
  const fail = (problem: Verdict["problem"], fix: string): Verdict => ({ state: "fail", problem, text, fix });
  if (status === 401 || status === 403)
    return fail(
      "key",
      `Set ${settingOf(provider, "key")} to a key of ${provider.name}, and see that it may use the model.`,
    );
  const isListed = provider.model === undefined || listed.includes(provider.model);
  const mayBeModel = error.code === "model_not_found" || ((status === 400 || status === 404) && !isListed);
  if (mayBeModel && (error.code === "model_not_found" || listed.length > 0)) {
    const named = listed.filter((id) => id !== provider.model).slice(0, namedModels);
    const choice = named.length === 0 ? "one that it has" : `one of ${named.join(", ")}`;
    return fail("model", `Set ${settingOf(provider, "model")} to ${choice}.`);
  }
  if (status === 404 || status === 405)
    return fail(
      "url",
      `Set ${settingOf(provider, "endpoint")} to the base URL of its API; it usually ends in /v1.`,
    );
  if (status === undefined && error.upstream !== undefined && error.cause !== undefined)
    return fail("unreachable", `Start it, or correct ${settingOf(provider, "endpoint")}.`);
  return { state: "fail", problem: "other", text };
}
