import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { until } from "../helpers/until.ts";

const first = "the-first-operators-token";
const second = "the-second-operators-token";

/** A server whose values lie in files, and what changes them. */
async function startWithFiles(values: Readonly<Record<string, string>>, env: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const fileOf = (name: string) => join(folder.path, name);
  const write = async (changed: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(changed)) await writeFile(fileOf(name), text);
  };
  await write(values);
  const files = Object.fromEntries(Object.keys(values).map((name) => [`${name}_FILE`, fileOf(name)]));
  const server = await startExecutable({ ...env, ...files });
  let reloads = 0;
  return {
    server,
    /** Changes files, and waits until the server has said what came of it. */
    async change(changed: Readonly<Record<string, string>>) {
      await write(changed);
      process.kill(server.pid, "SIGHUP");
      const said = () =>
        server
          .stderr()
          .split("\n")
          .filter((line) => line.includes("The settings were read again"));
      reloads++;
      await until("it tells of the reload", () => said().length >= reloads);
      return said()[reloads - 1] ?? "";
    },
    ask: (path: string, token: string, init: RequestInit = {}) =>
      fetch(`${server.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...init.headers },
      }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const closing = (socket: WebSocket) =>
  new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve, { once: true }));

const connected = async (url: string, token: string) => {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["openclaw.v1", `bearer.${token}`]);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  return socket;
};

test("SIGHUP takes a new token: the old one, its cookie and its connections are void, the others stay", async () => {
  const OPENCLAW_CLIENT_TOKENS = "alice=alices-very-own-token";
  await using it = await startWithFiles({ OPENCLAW_AUTH_TOKEN: first, OPENCLAW_CLIENT_TOKENS });
  const { url } = it.server;
  const login = await it.ask("/auth/login", first, {
    method: "POST",
    body: JSON.stringify({ token: first }),
    headers: { "content-type": "application/json" },
  });
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  const byCookie = async () => (await fetch(`${url}/api/status`, { headers: { cookie } })).status;
  expect(await byCookie()).toBe(200);
  const operators = await connected(url, first);
  const alices = await connected(url, "alices-very-own-token");
  const closed = closing(operators);

  expect(await it.change({ OPENCLAW_AUTH_TOKEN: second })).toContain('"taken":["OPENCLAW_AUTH_TOKEN"]');
  expect((await closed).code).toBe(1008);
  expect(alices.readyState).toBe(WebSocket.OPEN);
  expect((await it.ask("/api/status", first)).status).toBe(401);
  expect((await it.ask("/api/status", second)).status).toBe(200);
  expect(await byCookie()).toBe(401);

  const alicesClosed = closing(alices);
  await it.change({ OPENCLAW_CLIENT_TOKENS: "bob=bobs-very-own-secret" });
  expect((await alicesClosed).code).toBe(1008);
  expect((await it.ask("/v1/models", "bobs-very-own-secret")).status).toBe(200);
  expect(it.server.stderr()).not.toContain(second);
});

test("SIGHUP refuses settings as a whole, keeps the previous ones and writes it down", async () => {
  await using it = await startWithFiles({
    OPENCLAW_AUTH_TOKEN: first,
    OPENCLAW_JOBS: "[]",
    OPENCLAW_DRAIN_SECONDS: "9",
  });
  expect(await it.change({ OPENCLAW_AUTH_TOKEN: second, OPENCLAW_JOBS: "[{" })).toContain(
    "refused as a whole",
  );
  expect((await it.ask("/api/status", first)).status).toBe(200);
  const impossible = JSON.stringify([{ name: "j", schedule: "61 * * * *", prompt: "x" }]);
  expect(await it.change({ OPENCLAW_JOBS: impossible })).toContain("refused as a whole");
  expect((await it.ask("/api/status", second)).status).toBe(401);

  const good = JSON.stringify([{ name: "j", schedule: "0 8 * * *", prompt: "x" }]);
  expect(await it.change({ OPENCLAW_JOBS: good, OPENCLAW_DRAIN_SECONDS: "8" })).toContain(
    '"needRestart":["OPENCLAW_DRAIN_SECONDS"]',
  );
  const jobs = await (await it.ask("/api/jobs", second)).text();
  expect(jobs).toContain('"name":"j"');
  const audit = await (await it.ask("/api/audit", second)).text();
  expect(audit).toContain("reload_refused");
  expect(audit).toContain('"reloaded"');
  expect(await it.server.stop()).toBe(0);
});

test("SIGHUP takes a new key of the provider, agents and webhooks while turns go on", async () => {
  const refusal = { error: { message: "Incorrect API key provided: sk-the-second-key-of-all" } };
  let refuses = false;
  await using model = scriptedModel(
    () => (refuses ? { status: 401, body: JSON.stringify(refusal) } : { text: "ok" }),
    { models: ["m"] },
  );
  const agent = (name: string) => JSON.stringify([{ name, description: "knows things" }]);
  const webhook = (name: string) => JSON.stringify({ [name]: { prompt: "It said {body}" } });
  await using it = await startWithFiles(
    {
      OPENCLAW_AUTH_TOKEN: first,
      MODEL_PROVIDER_KEY: "sk-the-first-key-of-all",
      OPENCLAW_AGENTS: agent("one"),
      OPENCLAW_WEBHOOKS: webhook("old"),
    },
    {
      MODEL_PROVIDER_ENDPOINT: model.url,
      OPENCLAW_WEBHOOKS_OLD_SECRET: "a-secret-of-it",
      OPENCLAW_WEBHOOKS_NEW_SECRET: "a-secret-of-it",
    },
  );
  const say = (name: string) =>
    it.ask("/v1/chat/completions", first, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: name, messages: [{ role: "user", content: "hello" }] }),
    });
  expect((await say("m")).status).toBe(200);
  const done = await it.change({
    MODEL_PROVIDER_KEY: "sk-the-second-key-of-all",
    OPENCLAW_AGENTS: agent("two"),
    OPENCLAW_WEBHOOKS: webhook("new"),
  });
  expect(done).toContain('"taken":["MODEL_PROVIDER_KEY","OPENCLAW_AGENTS","OPENCLAW_WEBHOOKS"]');
  expect((await say("m")).status).toBe(200);
  expect(model.requests.at(-1)?.headers.get("authorization")).toBe("Bearer sk-the-second-key-of-all");
  expect((await say("openclaw/two")).status).toBe(200);
  expect((await say("openclaw/one")).status).toBe(404);
  const doctor = await (await it.ask("/doctor", first)).json();
  expect(doctor.settings.OPENCLAW_AGENTS).toEqual({
    from: "OPENCLAW_AGENTS_FILE",
    shown: JSON.stringify(agent("two")),
  });
  const hook = async (name: string) =>
    (await fetch(`${it.server.url}/webhooks/${name}`, { method: "POST", body: "x" })).status;
  expect(await hook("new")).toBe(401);
  expect(await hook("old")).toBe(404);
  refuses = true;
  expect(await (await say("m")).text()).toContain("Incorrect API key provided: [key]");
});
