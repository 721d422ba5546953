import { expect, test } from "bun:test";
import { aliceToken, bobToken, startGateway, type TestGateway } from "./helpers/gateway-server.ts";
import { waits } from "./helpers/runs.ts";
import { type Frame, openSocket } from "./helpers/socket.ts";

const api = "/api/sessions/chat-1";

const read = async (response: Response | Promise<Response>) => {
  const answer = await response;
  return { status: answer.status, body: await answer.json() };
};

/** Says something and waits until it is answered. */
async function say(gateway: TestGateway, text: string, token?: string) {
  const as = token === undefined ? {} : { token };
  const { body } = await read(gateway.post(`${api}/messages`, { text }, as));
  await (await gateway.ask(`/api/turns/${body.turn}/events`, as)).text();
}

const history = async (gateway: TestGateway): Promise<{ id: string; parentId?: string; text: string }[]> => {
  const { body } = await read(gateway.ask(`${api}/messages`));
  return body.items.map(({ message, ...entry }: { message: { content: string } }) => ({
    ...entry,
    text: message.content,
  }));
};

const textsOf = async (gateway: TestGateway) => (await history(gateway)).map(({ text }) => text);
const branch = (gateway: TestGateway, body: object) => read(gateway.post(`${api}/branches`, body));
const restore = (gateway: TestGateway, name: string, token?: string) =>
  read(
    gateway.ask(`${api}/branches/${encodeURIComponent(name)}/restore`, {
      method: "POST",
      ...(token !== undefined && { token }),
    }),
  );

/** Asks over a WebSocket; answers with the result or the error. */
async function request(
  socket: Awaited<ReturnType<typeof openSocket>>,
  method: string,
  params: object,
): Promise<Partial<Frame>> {
  socket.send({ type: "request", id: method, method, params: { session: "chat-1", ...params } });
  const [answer] = (await socket.until("response")).slice(-1);
  return answer ?? {};
}

test("branches over HTTP: branch, continue on both sides, compare, restore and continue again", async () => {
  await using gateway = await startGateway();
  await say(gateway, "one");
  const made = await branch(gateway, { name: "fork" });
  await say(gateway, "left");
  const back = await restore(gateway, "fork");
  await say(gateway, "right");

  expect(made).toMatchObject({ status: 200, body: { name: "fork", messages: 2, kept: false } });
  expect(back.body).toMatchObject({ at: made.body.at, messages: 2 });
  expect(back.body.kept).toMatch(/^before-restore-\d+$/);
  expect(await textsOf(gateway)).toEqual(["one", "You said: one", "right", "You said: right"]);

  const { body } = await read(gateway.ask(`${api}/branches/compare?left=${back.body.kept}`));
  const texts = (part: { entries: { message: { content: string } }[] }) =>
    part.entries.map(({ message }) => message.content);
  expect(texts(body.stem)).toEqual(["one", "You said: one"]);
  expect(texts(body.left)).toEqual(["left", "You said: left"]);
  expect(texts(body.right)).toEqual(["right", "You said: right"]);
  expect(body.left).toMatchObject({ messages: 2, more: 0, toolCalls: 0, inputTokens: 7, outputTokens: 3 });
  expect(body.right.at).toBe((await history(gateway)).at(-1)?.id ?? "");

  await restore(gateway, back.body.kept);
  await say(gateway, "more left");
  expect((await textsOf(gateway)).slice(2)).toEqual([
    "left",
    "You said: left",
    "more left",
    "You said: more left",
  ]);
});

test("branches.restore at the parent of a message is how it is said in other words", async () => {
  await using gateway = await startGateway();
  await say(gateway, "first");
  await say(gateway, "with a tpyo");
  const [first, , typo] = await history(gateway);

  await restore(gateway, typo?.parentId ?? "root");
  await say(gateway, "without one");
  expect(await textsOf(gateway)).toEqual([
    "first",
    "You said: first",
    "without one",
    "You said: without one",
  ]);

  await restore(gateway, first?.parentId ?? "root");
  await say(gateway, "another begin");
  expect(await textsOf(gateway)).toEqual(["another begin", "You said: another begin"]);
});

test("branches.list pages through the branches and says where the session stands", async () => {
  await using gateway = await startGateway();
  await say(gateway, "one");
  const { body: begin } = await branch(gateway, { name: "zum Anfang", at: "root" });
  await branch(gateway, { name: "試み" });

  const first = await read(gateway.ask(`${api}/branches?limit=1`));
  const second = await read(gateway.ask(`${api}/branches?limit=1&cursor=${first.body.next}`));

  const names = [...first.body.items, ...second.body.items].map(({ name }) => name);
  expect(names.sort()).toEqual(["zum Anfang", "試み"]);
  expect(second.body.next).toBeUndefined();
  expect(begin).toMatchObject({ at: "root", messages: 0 });
  expect(first.body.at).toBe((await history(gateway)).at(-1)?.id ?? "");
});

test("branches.delete forgets the name, and the messages stay in the tree", async () => {
  await using gateway = await startGateway();
  await say(gateway, "one");
  const { body } = await branch(gateway, { name: "my idea" });
  const remove = () => read(gateway.ask(`${api}/branches/my%20idea`, { method: "DELETE" }));

  expect(await remove()).toEqual({ status: 200, body: { deleted: true } });
  expect((await remove()).status).toBe(404);
  expect((await restore(gateway, body.at)).status).toBe(200);
});

test("branches refuse what is wrong, each with a sentence of its own", async () => {
  await using gateway = await startGateway();
  await say(gateway, "one");
  await branch(gateway, { name: "taken" });
  const foreign = "0192f0c0-0000-7000-8000-000000000000";
  const refused = async (
    status: number,
    answer: Promise<{ status: number; body: { error: { message: string } } }>,
  ) => {
    const { status: got, body } = await answer;
    expect([got, typeof body.error.message]).toEqual([status, "string"]);
    return body.error.message;
  };
  const compare = (query: string) => read(gateway.ask(`${api}/branches/compare?${query}`));

  expect(await refused(409, branch(gateway, { name: "taken" }))).toContain('"taken"');
  expect(await refused(404, branch(gateway, { name: "b", at: foreign }))).toContain(foreign);
  expect(await refused(404, restore(gateway, foreign))).toContain(foreign);
  expect(await refused(404, restore(gateway, "nothing"))).toContain('"nothing"');
  expect(await refused(404, compare("left=nothing"))).toContain('"nothing"');
  for (const name of [
    "",
    "a\nb",
    "a\0",
    "../..",
    "x".repeat(65),
    "root",
    "leaf",
    "before-restore-1",
    5,
    null,
  ])
    expect([name, (await branch(gateway, { name })).status]).toEqual([name, 400]);
  await refused(400, branch(gateway, {}));
  await refused(400, compare(""));
  await refused(400, compare("left=leaf&limit=0"));
  await refused(404, read(gateway.post("/api/sessions/none/branches", { name: "b" })));
});

test("branches.create refuses the 201st branch of a session", async () => {
  await using gateway = await startGateway();
  await say(gateway, "one");
  for (let number = 0; number < 200; number++) await branch(gateway, { name: `b${number}` });

  const { status, body } = await branch(gateway, { name: "one more" });

  expect([status, body.error.code]).toEqual([409, "conflict"]);
  expect(body.error.message).toContain("200");
});

test("branches.restore is refused with a hint to retry while a turn runs, by both doors", async () => {
  const waiting = waits();
  await using gateway = await startGateway({ run: waiting.run });
  await gateway.post(`${api}/messages`, { text: "wait" });
  await waiting.begun;
  using socket = await openSocket(gateway.url, { token: gateway.settings.authToken ?? "" });

  const answer = await gateway.ask(`${api}/branches/root/restore`, { method: "POST" });
  const { error } = await request(socket, "branches.restore", { branch: "root" });

  expect([answer.status, answer.headers.get("retry-after")]).toEqual([409, "1"]);
  expect((await answer.json()).error.message).toContain("retry");
  expect(error).toMatchObject({ code: "conflict", retryAfterMs: 1000 });
  // A name may be given meanwhile: it changes nothing that the turn works on.
  expect((await branch(gateway, { name: "meanwhile" })).status).toBe(200);
});

test("branches over a WebSocket: every operation but the long ones", async () => {
  await using gateway = await startGateway();
  await say(gateway, "one");
  using socket = await openSocket(gateway.url, { token: gateway.settings.authToken ?? "" });

  expect((await request(socket, "branches.create", { name: "fork" })).result).toMatchObject({ messages: 2 });
  expect((await request(socket, "branches.restore", { branch: "root" })).result).toMatchObject({
    at: "root",
  });
  expect((await request(socket, "branches.list", {})).result).toMatchObject({ at: "root" });
  expect((await request(socket, "branches.compare", { left: "fork", right: "leaf" })).result).toMatchObject({
    stem: { entries: [] },
    left: { messages: 2 },
  });
  expect((await request(socket, "branches.delete", { branch: "fork" })).result).toEqual({ deleted: true });
  expect((await request(socket, "branches.restore", { branch: "fork" })).error).toMatchObject({
    code: "not_found",
  });
});

test("branches belong to the owner of the session: somebody else hears that there is no session", async () => {
  await using gateway = await startGateway();
  await say(gateway, "mine", aliceToken);
  await branch(gateway, { name: "fork" });

  expect((await restore(gateway, "fork", bobToken)).status).toBe(404);
  expect((await restore(gateway, "fork", aliceToken)).status).toBe(200);
});

test("sessions tell their title, the beginning of what was said first", async () => {
  await using gateway = await startGateway();
  await say(gateway, "Where does\nthe Danube begin?");
  await say(gateway, "And where does it end?");

  const { body } = await read(gateway.ask("/api/sessions"));

  expect(body.items[0].title).toBe("Where does the Danube begin?");
  expect((await read(gateway.ask(api))).body.title).toBe("Where does the Danube begin?");
});

test("sessions.export writes the path of a branch, as JSON Lines or as Markdown", async () => {
  await using gateway = await startGateway();
  await say(gateway, "one *star*");
  await branch(gateway, { name: "fork" });
  await say(gateway, "two");
  const get = (query: string) => gateway.ask(`${api}/export?${query}`);

  const lines = (await (await get("branch=fork")).text()).trimEnd().split("\n");
  const markdown = await get("format=markdown");
  const text = await markdown.text();

  expect(lines.map((line) => JSON.parse(line).type)).toEqual(["session", "message", "message"]);
  expect(markdown.headers.get("content-type")).toBe("text/markdown; charset=utf-8");
  expect(text).toStartWith("# one \\*star\\*\n");
  expect(text.match(/^## (User|Assistant) · \d{4}-/gm)).toHaveLength(4);
  expect(text).toContain("\n\nYou said: two\n");
  for (const query of ["format=pdf", "branch=%00"]) expect((await get(query)).status).toBe(400);
  expect((await get("branch=nothing")).status).toBe(404);
});
