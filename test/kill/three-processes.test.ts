import { expect, test } from "bun:test";
import { join } from "node:path";
import * as v from "valibot";
import { connectEnvelopes, type EnvelopeClient } from "../helpers/envelope-client.ts";
import { type RunningExecutable, startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { runs } from "../helpers/long.ts";
import { type ChatBody, scriptedModel } from "../helpers/model-server.ts";
import { postgresDatabase } from "../helpers/postgres.ts";

const token = "an-operators-token";
const sessions = 20;
const turnsEach = 3;
/** In the long form the lease is the real one, and the sleeper sleeps for 20 s. */
const leaseSeconds = runs(0.5, 10);
const sleepMs = runs(1500, 20_000);

const sessionName = (n: number) => `session-${n}`;
const text = (session: number, turn: number) => `question ${turn} of ${session}`;

/** Answers with what it was asked, after a moment in which its process may be killed. */
const script = (body: ChatBody) => {
  const asked = String(body.messages.findLast(({ role }) => role === "user")?.content);
  return { text: ["answer ", "to ", asked], gate: () => Bun.sleep(30) };
};

/** Who talks to a process now, so that a test can make them give up on it. */
const talking = new Map<string, Set<EnvelopeClient>>();
const giveUp = (url: string) => {
  for (const client of talking.get(url) ?? []) client[Symbol.dispose]();
};

/** Says the turns of a session one after the other, on whatever process still answers, until each is done. */
async function talk(session: number, urls: () => readonly string[], first: number) {
  for (let turn = 0; turn < turnsEach; turn++) {
    for (let attempt = 0, failed: string | undefined; ; attempt++) {
      const all = urls();
      const url = all[(first + attempt) % all.length] ?? "";
      try {
        using client = await connectEnvelopes(url, token);
        talking.set(url, (talking.get(url) ?? new Set()).add(client));
        const message = { messageId: `m${turn}`, sessionId: sessionName(session) };
        client.send({ type: "user_message", text: text(session, turn), ...message });
        const said = await client.next(
          ["assistant_done", "error"],
          (each) => each.inReplyToMessageId === message.messageId,
        );
        if (said.type === "assistant_done") break;
        failed = said.retryAfterMs === undefined ? String(said.text) : undefined;
      } catch (error) {
        // Its process was killed, or sleeps: the same message goes to another one.
        if (attempt > 20) throw error;
      }
      // What is refused with a time may be said again; a turn that has failed is lost work.
      if (failed !== undefined) throw new Error(`${sessionName(session)} m${turn} failed: ${failed}`);
    }
  }
}

/** The chunks of each turn that a client heard, whole answers by message. */
function heardAnswers(client: EnvelopeClient) {
  const answers = new Map<unknown, string>();
  for (const each of client.heard) {
    const key = each.inReplyToMessageId;
    // A step that is begun again tells its text from its start.
    if (each.type === "status" && each.code === "restarted") answers.set(key, "");
    if (each.type === "assistant_chunk") answers.set(key, (answers.get(key) ?? "") + String(each.text));
  }
  return [...answers.values()];
}

const History = v.object({
  items: v.array(v.object({ message: v.object({ role: v.string(), content: v.string() }) })),
});

async function history(url: string, session: number): Promise<string[]> {
  const response = await fetch(`${url}/api/sessions/${sessionName(session)}/messages?limit=200`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { items } = v.parse(History, await response.json());
  return items.map(({ message }) => `${message.role}: ${message.content}`);
}

/** Resolves when the session's first message was accepted somewhere. */
async function untilThere(url: string, session: number) {
  const there = () =>
    fetch(`${url}/api/sessions/${sessionName(session)}`, { headers: { authorization: `Bearer ${token}` } });
  for (const deadline = performance.now() + 15_000; (await there()).status === 404;) {
    if (performance.now() > deadline) throw new Error(`${sessionName(session)} did not come.`);
    await Bun.sleep(5);
  }
}

test("three processes on one PostgreSQL run every turn once and in order, although one is killed and one sleeps", async () => {
  await using folder = await temporaryFolder();
  await using database = await postgresDatabase();
  await using model = scriptedModel(script);
  const start = (name: string) =>
    startExecutable({
      OPENCLAW_AUTH_TOKEN: token,
      OPENCLAW_DATA_DIR: join(folder.path, name),
      OPENCLAW_DATABASE_URL: database.url,
      OPENCLAW_LEASE_SECONDS: `${leaseSeconds}`,
      MODEL_PROVIDER_ENDPOINT: model.url,
      MODEL_PROVIDER_MODEL: "scripted",
    });
  const processes: RunningExecutable[] = await Promise.all(["one", "two", "three"].map(start));
  const [steady, killed, sleeper] = processes as [RunningExecutable, RunningExecutable, RunningExecutable];
  let alive = [steady.url, killed.url, sleeper.url];
  const talks = Array.from({ length: sessions }, (_, n) => talk(n, () => alive, n % 3));
  const followers = new Map<number, EnvelopeClient>();

  for (let n = 0; n < sessions; n++) {
    await untilThere(steady.url, n);
    const client = await connectEnvelopes(steady.url, token);
    client.send({ type: "resume", sessionId: sessionName(n), after: "0" });
    followers.set(n, client);
  }
  process.kill(sleeper.pid, "SIGSTOP");
  alive = [steady.url, killed.url];
  await killed.stop("SIGKILL");
  alive = [steady.url];
  giveUp(sleeper.url);
  const slept = Bun.sleep(sleepMs);
  await Promise.all(talks);
  await slept;
  process.kill(sleeper.pid, "SIGCONT");
  for (
    const deadline = performance.now() + 15_000;
    (await fetch(`${sleeper.url}/health/ready`)).status !== 200;
  ) {
    if (performance.now() > deadline) throw new Error("The one that slept does not work again.");
    await Bun.sleep(20);
  }

  for (let n = 0; n < sessions; n++) {
    const expected = Array.from({ length: turnsEach }, (_, turn) => [
      `user: ${text(n, turn)}`,
      `assistant: answer to ${text(n, turn)}`,
    ]).flat();
    // The same story from the one that slept as from the one that never did.
    expect(await history(steady.url, n)).toEqual(expected);
    expect(await history(sleeper.url, n)).toEqual(expected);
    const follower = followers.get(n);
    // What another process has done is told a little later than to who talked to it.
    for (let turn = 0; turn < turnsEach; turn++)
      await follower?.next("assistant_done", (done) => done.inReplyToMessageId === `m${turn}`);
    expect(follower && heardAnswers(follower)).toEqual(
      Array.from({ length: turnsEach }, (_, turn) => `answer to ${text(n, turn)}`),
    );
    follower?.[Symbol.dispose]();
  }
  for (const each of [steady, sleeper]) expect(await each.stop()).toBe(0);
  for (const each of processes) await each[Symbol.asyncDispose]();
}, 120_000);
