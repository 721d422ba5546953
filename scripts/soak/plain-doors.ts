import type { Load } from "./load.ts";
import { answerTo, saying } from "./stand-ins.ts";

type Way = (text: string) => { path: string; body: object };

const messages = (text: string) => [{ role: "user", content: text }];
const ways: readonly Way[] = [
  (text) => ({ path: "/v1/chat/completions", body: { messages: messages(text) } }),
  (text) => ({ path: "/v1/chat/completions", body: { messages: messages(text), stream: true } }),
  (text) => ({ path: "/v1/responses", body: { input: text, store: false } }),
  (text) => ({ path: "/v1/responses", body: { input: text, stream: true, store: false } }),
];

/** The deltas of a stream put together do not stand side by side in it. */
const said = (told: string) =>
  told.includes("data:")
    ? [...told.matchAll(/"(?:content|delta)":"((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => piece).join("")
    : told;

/** Asks by the OpenAI surfaces, which keep nothing: what counts is the answer and how long it took. */
export async function askPlainly(load: Load, name: string): Promise<void> {
  const { house, book, random, goesOn, isFaulty } = load;
  for (let n = 0; goesOn(); n++) {
    const id = `${name}-${n}`;
    const way = ways[n % ways.length];
    if (way === undefined) return;
    const { path, body } = way(saying(id, random.pick(["plain", "use"])));
    const faultyBefore = isFaulty();
    const begin = performance.now();
    const answer = await house.ask(path, body);
    const ms = performance.now() - begin;
    const when = faultyBefore || isFaulty() ? "fault" : "calm";
    if (answer?.status === 200 && said(answer.text).includes(answerTo(id))) book.latencies[when].push(ms);
    else book.refused[when] += 1;
    if (answer?.status === 500) book.problems.push(`${id} was answered 500: ${answer.text.slice(0, 200)}`);
    if (when === "calm" && answer?.status !== 200)
      book.problems.push(
        `${id} was answered ${answer?.status} in a calm moment: ${answer?.text.slice(0, 200)}`,
      );
    await Bun.sleep(random.below(40));
  }
}

/** Works on sessions of its own: says something, branches, restores, compares, reads, and deletes them. */
export async function tendSessions({ house, book, random, goesOn }: Load, name: string): Promise<void> {
  for (let n = 0; goesOn(); n++) {
    const session = `/api/sessions/${name}-${n}`;
    const steps: readonly (readonly [string, unknown?, RequestInit?])[] = [
      [`${session}/messages`, { text: "/help" }],
      [`${session}/branches`, { name: "b" }],
      [`${session}/messages`, { text: "/status" }],
      [`${session}/branches/b/restore`, {}],
      [`${session}/branches/compare?left=b&right=b`],
      [`${session}/messages?limit=20`],
      [`${session}/export`],
      ["/api/sessions?limit=20"],
      [session, undefined, { method: "DELETE" }],
    ];
    for (const [path, body, init] of steps) {
      const answer = await house.ask(path, body, init);
      book.asked += 1;
      if (answer?.status === 500)
        book.problems.push(`${path} was answered 500: ${answer.text.slice(0, 200)}`);
      await Bun.sleep(random.below(60));
    }
  }
}
