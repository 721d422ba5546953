import { join } from "node:path";
import { assemble } from "../../src/assemble.ts";
import { loadSettings } from "../../src/config/load.ts";
import { temporaryFolder } from "./executable.ts";

export const operatorToken = "an-operators-token";

/** The whole server in this process, on a free port and over a store of its own, with no variables but those given. */
export async function startInProcess(env: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  const all = { OPENCLAW_PORT: "0", OPENCLAW_AUTH_TOKEN: operatorToken, OPENCLAW_DATA_DIR: dataDir, ...env };
  const loaded = loadSettings(all, folder.path);
  const { settings, problems } = loaded;
  if (settings === undefined) throw new Error(problems.map(({ text }) => text).join("\n"));
  const app = await assemble(settings, { version: "test", loaded });
  const { url } = await app.listen();
  return {
    url,
    /** Asks as the operator; a body is sent as JSON. */
    ask(path: string, body?: unknown, init: RequestInit & { headers?: Record<string, string> } = {}) {
      const { headers, ...rest } = init;
      return fetch(`${url}${path}`, {
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
        ...rest,
        headers: {
          authorization: `Bearer ${operatorToken}`,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
      });
    },
    async [Symbol.asyncDispose]() {
      await app.stop(2000);
      await folder[Symbol.asyncDispose]();
    },
  };
}

export type InProcess = Awaited<ReturnType<typeof startInProcess>>;
