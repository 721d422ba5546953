import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { connectEnvelopes } from "../helpers/envelope-client.ts";
import { startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { scriptedModel, type Step } from "../helpers/model-server.ts";

const Page = v.looseObject({
  items: v.array(v.looseObject({ message: v.looseObject({ role: v.string(), content: v.string() }) })),
});

/** Asks until it is so; throws when it does not come to be in ten seconds. */
export async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + 10_000; !(await holds()); await Bun.sleep(20))
    if (performance.now() > end) throw new Error(`It never came to be that ${what}.`);
}

/** A data folder that outlives the servers that are started on it, and a model that answers each message with `step`. */
export async function faultyPlace(step: (text: string) => Step = (text) => ({ text: `re: ${text}` })) {
  const folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  mkdirSync(dataDir, { mode: 0o700 });
  const model = scriptedModel(({ messages }) => step(String(messages.at(-1)?.content)));
  const env = {
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_DATA_DIR: dataDir,
    OPENCLAW_LOG_LEVEL: "error",
  };

  async function start() {
    const server = await startExecutable(env);
    const client = await connectEnvelopes(server.url);
    const call = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);
    return {
      pid: server.pid,
      client,
      call,
      /** Says something over the WebSocket. */
      say(messageId: string, text = `text ${messageId}`) {
        client.send({ type: "user_message", sessionId: "s", messageId, text });
        const mine = (type: string) => client.next(type, (each) => each.inReplyToMessageId === messageId);
        return { mine };
      },
      /** Says something over HTTP. */
      post: (messageId: string) =>
        call("/api/sessions/s/messages", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ text: `text ${messageId}`, messageId }),
        }),
      async ready() {
        const response = await call("/health/ready");
        return { status: response.status, body: await response.json() };
      },
      async history() {
        const page = v.parse(Page, await (await call("/api/sessions/s/messages?limit=200")).json());
        return page.items.map(({ message }) => message.content);
      },
      /** Ends it in peace. */
      async end() {
        client[Symbol.dispose]();
        await server.stop("SIGTERM");
        await server[Symbol.asyncDispose]();
      },
      async kill() {
        client[Symbol.dispose]();
        await server.stop("SIGKILL");
        await server[Symbol.asyncDispose]();
      },
      async [Symbol.asyncDispose]() {
        client[Symbol.dispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  return {
    dataDir,
    start,
    env,
    async [Symbol.asyncDispose]() {
      await model.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
