import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { connectEnvelopes, type EnvelopeClient } from "./helpers/envelope-client.ts";
import {
  type RunningExecutable,
  runExecutable,
  startExecutable,
  temporaryFolder,
} from "./helpers/executable.ts";
import { type ModelServer, scriptedModel } from "./helpers/model-server.ts";

setDefaultTimeout(60_000);

const token = "the-token-of-this-test-0123456789";

let model: ModelServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, "work"));
  // Writes the file that the message names, and then says what came of it.
  model = scriptedModel(({ messages }) => {
    const last = messages.at(-1);
    if (last?.role === "tool") return { text: `It says: ${String(last.content)}` };
    return {
      calls: [{ name: "write_file", arguments: { path: String(last?.content), content: "written" } }],
    };
  });
});
afterAll(async () => {
  await model?.close();
  await folder?.[Symbol.asyncDispose]();
});

const start = () =>
  startExecutable({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_DATA_DIR: join(folder.path, "data"),
    OPENCLAW_WORKSPACE: join(folder.path, "work"),
    OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
  });

const Approvals = v.object({
  items: v.array(
    v.looseObject({ id: v.string(), sessionId: v.string(), pattern: v.string(), reason: v.string() }),
  ),
});

const ask = (server: RunningExecutable, path: string, init: { method?: string; body?: object } = {}) =>
  fetch(`${server.url}${path}`, {
    method: init.method ?? "GET",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(init.body && { body: JSON.stringify(init.body) }),
  });
const pending = async (server: RunningExecutable) =>
  v.parse(Approvals, await (await ask(server, "/api/approvals")).json()).items;
const decide = (server: RunningExecutable, id: unknown, body: object) =>
  ask(server, `/api/approvals/${String(id)}`, { method: "POST", body });

/** Says something in a session; its id is that of the message too. */
const say = (client: EnvelopeClient, sessionId: string, text: string) =>
  client.send({ type: "user_message", sessionId, messageId: `m-${sessionId}`, text });

const inSession = (sessionId: string) => (envelope: Record<string, unknown>) =>
  envelope["sessionId"] === sessionId;

/** What there is to hear of a session, from its beginning. */
async function hears(server: RunningExecutable, sessionId: string) {
  const client = await connectEnvelopes(server.url, token);
  client.send({ type: "resume", sessionId, after: "0" });
  return client;
}

const written = (path: string) => Bun.file(join(folder.path, "work", path)).exists();

test("approvals outlive a kill: decided over HTTP the turn ends well; denied, expired and changed ones are told apart", async () => {
  const ids = new Map<string, unknown>();
  {
    await using server = await start();
    using client = await connectEnvelopes(server.url, token);
    for (const name of ["good", "denied", "expired", "changed"]) {
      say(client, name, `${name}.txt`);
      ids.set(name, (await client.next("tool_approval_required", inSession(name)))["approvalId"]);
    }
    await server.stop("SIGKILL");
  }
  // While nobody runs, one question grows too old, and one is not about these arguments any more.
  {
    using database = new Database(join(folder.path, "data/openclaw.db"));
    database.run("UPDATE approvals SET expires_at = 1 WHERE session_id = 'expired'");
    database.run(`UPDATE approvals SET arguments_json = '{"path":"safe.txt"}' WHERE session_id = 'changed'`);
  }
  {
    await using server = await start();
    using good = await hears(server, "good");
    using denied = await hears(server, "denied");
    using expired = await hears(server, "expired");
    using changed = await hears(server, "changed");

    expect((await decide(server, ids.get("good"), { approved: true, scope: "always" })).status).toBe(200);
    expect((await decide(server, ids.get("denied"), { approved: false, note: "not this" })).status).toBe(200);
    expect(await good.next("tool_result")).toMatchObject({ resultStatus: "ok" });
    expect(await good.next("assistant_done")).toMatchObject({ sessionId: "good" });
    expect(await denied.next("tool_result")).toMatchObject({
      resultStatus: "denied",
      reason: "denied",
      text: expect.stringContaining("not this"),
    });
    expect(await expired.next("tool_result")).toMatchObject({ resultStatus: "denied", reason: "expired" });
    expect((await decide(server, ids.get("expired"), { approved: true })).status).toBe(404);

    const anew = await changed.next(
      "tool_approval_required",
      ({ approvalId }) => approvalId !== ids.get("changed"),
    );
    expect(anew).toMatchObject({ reason: expect.stringContaining("not those that were asked about before") });
    expect((await decide(server, ids.get("changed"), { approved: true })).status).toBe(404);
    expect((await pending(server)).map(({ id }) => id)).toEqual([String(anew["approvalId"])]);
    expect((await decide(server, anew["approvalId"], { approved: true })).status).toBe(200);
    for (const client of [denied, expired, changed]) await client.next("assistant_done");

    expect(await Promise.all(["good.txt", "changed.txt", "denied.txt", "expired.txt"].map(written))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    await server.stop("SIGKILL");
  }
  // What was decided for ever outlives a kill as well, until it is revoked.
  await using server = await start();
  using client = await connectEnvelopes(server.url, token);
  say(client, "later", "good.txt");
  expect(await client.next("tool_start")).toMatchObject({
    reason: expect.stringContaining("operator allowed write_file good.txt always"),
  });
  await client.next("assistant_done");
  const Rules = v.object({ items: v.array(v.looseObject({ id: v.string(), pattern: v.string() })) });
  const { items } = v.parse(Rules, await (await ask(server, "/api/approvals/rules")).json());
  expect(items.map(({ pattern }) => pattern)).toEqual(["good.txt"]);
  const rule = `/api/approvals/rules/${items[0]?.id}`;
  expect((await ask(server, rule, { method: "DELETE" })).status).toBe(200);
  expect((await ask(server, rule, { method: "DELETE" })).status).toBe(404);
  say(client, "last", "good.txt");
  await client.next("tool_approval_required", inSession("last"));
});

test("a call without anyone to ask is denied at once", async () => {
  await using server = await startExecutable({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_WORKSPACE: join(folder.path, "work"),
    OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
  });
  const began = performance.now();
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "nobody.txt" }] }),
  });
  expect(await response.text()).toContain("there is nobody to ask here");
  expect(performance.now() - began).toBeLessThan(5000);
  expect(await written("nobody.txt")).toBe(false);
});

test("a first start without a token makes one where what is granted could come back at the door, and shows it once", async () => {
  await using home = await temporaryFolder();
  const env = { OPENCLAW_DATA_DIR: join(home.path, "data"), OPENCLAW_ALLOW_PRIVATE_NETWORK: "true" };
  const file = join(home.path, "data/token");
  let made: string;
  {
    await using server = await startExecutable(env);
    made = (await readFile(file, "utf8")).trim();
    expect(server.stdout()).toContain(`${made} (made now, and shown only this once)`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const status = (headers: Record<string, string>) => fetch(`${server.url}/api/status`, { headers });
    expect((await status({})).status).toBe(401);
    expect((await status({ authorization: "Bearer wrong-token-of-somebody" })).status).toBe(401);
    expect((await status({ authorization: `Bearer ${made}` })).status).toBe(200);

    const client = { ...env, OPENCLAW_BASE_URL: server.url };
    expect((await runExecutable(["run", "hello"], client)).code).toBe(0);
    const stranger = await runExecutable(["run", "hello"], { OPENCLAW_BASE_URL: server.url });
    expect(stranger).toMatchObject({ code: 1, stderr: expect.stringContaining("OPENCLAW_AUTH_TOKEN") });
    expect(await server.stop()).toBe(0);
    expect(server.stderr()).not.toContain(made);
  }
  {
    await using server = await startExecutable(env);
    expect(server.stdout() + server.stderr()).not.toContain(made);
    expect(server.stdout()).toContain(`the one kept in ${file}`);
    const headers = { authorization: `Bearer ${made}` };
    expect((await fetch(`${server.url}/api/status`, { headers })).status).toBe(200);
  }
  await chmod(file, 0o640);
  const refused = await runExecutable([], env);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("mode 640, not 600") });
  expect(refused.stdout + refused.stderr).not.toContain(made);
});

test("a first start makes no token where nothing granted needs one", async () => {
  await using server = await startExecutable();
  expect(server.stdout()).not.toMatch(/^ {2}token/m);
  expect(await readdir(join(server.folder, ".local/state/openclaw"))).not.toContain("token");
});
