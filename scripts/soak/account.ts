import * as v from "valibot";
import type { House } from "./house.ts";
import type { Accepted, Book } from "./load.ts";
import { jobName } from "./machines.ts";
import { answerTo, idIn, machineRecipient, type StandIns } from "./stand-ins.ts";

const Page = v.looseObject({
  items: v.array(
    v.looseObject({ message: v.looseObject({ role: v.string(), content: v.nullish(v.unknown()) }) }),
  ),
  next: v.optional(v.string()),
});
const Turn = v.looseObject({ state: v.string() });
const Runs = v.looseObject({
  items: v.array(v.looseObject({ slot: v.number(), state: v.string(), slots: v.number() })),
  next: v.optional(v.string()),
});

async function everyPage<Item>(
  house: House,
  path: string,
  read: (json: unknown) => { items: Item[]; next?: string | undefined },
): Promise<Item[]> {
  const all: Item[] = [];
  let cursor = "";
  do {
    const answer = await house.ask(`${path}?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    if (answer?.status !== 200) throw new Error(`${path} was answered ${answer?.status}: ${answer?.text}`);
    const page = read(JSON.parse(answer.text));
    all.push(...page.items);
    cursor = page.next ?? "";
  } while (cursor !== "");
  return all;
}

/** The messages of a session by the id that they hold: how often it was said, and how often answered. */
async function countSession(house: House, session: string) {
  const path = `/api/sessions/${encodeURIComponent(session)}/messages`;
  const items = await everyPage(house, path, (json) => v.parse(Page, json));
  const said = new Map<string, number>();
  const answered = new Map<string, number>();
  for (const { message } of items) {
    const text = typeof message.content === "string" ? message.content : JSON.stringify(message.content);
    const id = idIn(text ?? "");
    if (id === undefined) continue;
    if (message.role === "user") said.set(id, (said.get(id) ?? 0) + 1);
    if (message.role === "assistant" && text?.includes(answerTo(id)))
      answered.set(id, (answered.get(id) ?? 0) + 1);
  }
  return { said, answered };
}

/** What was delivered to a recipient, as it stands there in the end. */
function deliveredTo(
  { channel, recipient }: NonNullable<Accepted["delivery"]>,
  { twilio, telegram }: StandIns,
) {
  if (channel === "sms") return twilio.sent.filter(({ to }) => to === recipient).map(({ body }) => body);
  // The stand-in counts its messages from 101 on; an edit puts a new text in the place of the old one.
  const texts = new Map<number, string>();
  let number = 100;
  for (const { method, body } of telegram.calls) {
    if (method === "sendMessage") texts.set(++number, String(body["text"]));
    if (method === "editMessageText") texts.set(Number(body["message_id"]), String(body["text"]));
    if (method === "deleteMessage") texts.delete(Number(body["message_id"]));
  }
  return [...texts.values()];
}

async function stateOf(house: House, turn: string | undefined): Promise<string | undefined> {
  const answer = turn === undefined ? undefined : await house.ask(`/api/turns/${turn}`);
  return answer?.status === 200 ? v.parse(Turn, JSON.parse(answer.text)).state : undefined;
}

export interface Account {
  readonly accepted: number;
  readonly failed: number;
  readonly delivered: number;
  /** Said or answered twice in a session, or a job's slot that ran twice. */
  readonly doubled: readonly string[];
  readonly lost: readonly string[];
  /** Sent twice, as it may happen where a kill fell between sending and noting it. */
  readonly sentTwice: number;
}

/** Holds everything that was accepted against what became of it. Called when nothing runs any more. */
export async function settle(house: House, standIns: StandIns, book: Book): Promise<Account> {
  const lost: string[] = [];
  const doubled: string[] = [];
  let failed = 0;
  let delivered = 0;
  let sentTwice = 0;
  const all = [...book.accepted.values()];
  for (const [session, messages] of Map.groupBy(all, (each) => each.session)) {
    const { said, answered } = await countSession(house, session);
    for (const { id, turn } of messages) {
      const [asked, told] = [said.get(id) ?? 0, answered.get(id) ?? 0];
      const state = await stateOf(house, turn);
      if (asked > 1 || told > 1) doubled.push(`${id} was said ${asked} and answered ${told} times`);
      // One that waited and whose disk then failed has its end, and no place in the session.
      if (state === "failed" || (turn === undefined && told === 0)) failed += 1;
      else if (asked === 0) lost.push(`${id}, which ended as ${state}, is not in ${session}`);
      else if (told === 0) lost.push(`${id} ended as ${state} without an answer`);
    }
  }
  const byRecipient = Map.groupBy(
    all.flatMap(({ id, delivery }) => (delivery === undefined ? [] : [{ id, delivery }])),
    ({ delivery }) => `${delivery.channel} ${delivery.recipient}`,
  );
  for (const [recipient, messages] of byRecipient) {
    const [first] = messages;
    if (first === undefined) continue;
    const texts = deliveredTo(first.delivery, standIns);
    const times = Map.groupBy(texts, (text) => idIn(text) ?? "");
    // A turn that failed is told as a sentence that names no message.
    let sentences = times.get("")?.length ?? 0;
    for (const { id } of messages) {
      const count = times.get(id)?.length ?? 0;
      delivered += Math.min(1, count);
      sentTwice += Math.max(0, count - 1);
      if (count === 0 && sentences-- <= 0) lost.push(`the answer to ${id} was not sent to ${recipient}`);
    }
  }
  const job = await settleJob(house, standIns);
  return {
    accepted: all.length,
    failed,
    delivered: delivered + job.ran,
    doubled: [...doubled, ...job.doubled],
    lost: [...lost, ...job.lost],
    sentTwice: sentTwice + job.sentTwice,
  };
}

async function settleJob(house: House, { twilio }: StandIns) {
  const runs = await everyPage(house, `/api/jobs/${jobName}/runs`, (json) => v.parse(Runs, json));
  const slots = runs.map(({ slot }) => slot);
  const doubled = slots
    .filter((slot, at) => slots.indexOf(slot) < at)
    .map((slot) => `slot ${slot} of the job`);
  const open = runs.filter(({ state }) => state === "queued" || state === "running");
  const ran = runs.filter(({ state }) => state === "ran").length;
  const sent = twilio.sent.filter(
    ({ to, body }) => to === machineRecipient && body.includes(answerTo(jobName)),
  ).length;
  const lost = open.map(({ slot, state }) => `slot ${slot} of the job is still ${state}`);
  if (sent < ran) lost.push(`the job ran ${ran} times and was sent ${sent} times`);
  return { ran, doubled, lost, sentTwice: Math.max(0, sent - ran) };
}
