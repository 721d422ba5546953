import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { noUsage, userMessage } from "../../src/llm/message.ts";
import * as approvalRules from "../../src/store/approval-rules.ts";
import * as approvals from "../../src/store/approvals.ts";
import * as audit from "../../src/store/audit-rows.ts";
import { sweepChain } from "../../src/store/audit-sweep.ts";
import { createAuditTrail } from "../../src/store/audit-trail.ts";
import * as branches from "../../src/store/branches.ts";
import { compare } from "../../src/store/compare.ts";
import * as events from "../../src/store/events.ts";
import { migrations } from "../../src/store/migrations.ts";
import * as deliveries from "../../src/store/deliveries.ts";
import * as heldParts from "../../src/store/held-parts.ts";
import * as notes from "../../src/store/notes.ts";
import * as lines from "../../src/store/outbox-lines.ts";
import * as outbox from "../../src/store/outbox.ts";
import * as pairings from "../../src/store/pairings.ts";
import * as previews from "../../src/store/previews.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as responses from "../../src/store/responses.ts";
import * as retention from "../../src/store/retention.ts";
import * as sessions from "../../src/store/sessions.ts";
import type { SqlValue, Tx } from "../../src/store/tx.ts";
import * as turns from "../../src/store/turns.ts";
import * as usage from "../../src/store/usage.ts";
import { anEvent, auditKey } from "./audit-records.ts";
import { anApproval, aSession, aTurn, now } from "./records.ts";

const somePieces = { channel: "post", recipient: "ann", turnId: "t1", kind: "answer", pieces: ["{}"], now };

const aPart = { channel: "post", place: "7", whole: "album", id: "d1", number: 1, part: "{}" };

/** A `tx` that keeps the text of each statement beside. */
function noting(tx: Tx, texts: string[]): Tx {
  const run = (parts: TemplateStringsArray, ...values: SqlValue[]) => {
    texts.push(parts.join("?"));
    return tx(parts, ...values);
  };
  return Object.assign(run, { dialect: tx.dialect });
}

/** How SQLite finds the rows of all the statements of `act`. */
async function plansOf(act: (tx: Tx) => Promise<unknown>): Promise<string[]> {
  const store = await memoryStore();
  const texts: string[] = [];
  await store.write(async (tx) => {
    await aSession(tx);
    await turns.insert(tx, aTurn("t1", { messageId: "m1" }));
    await approvals.insert(tx, anApproval());
    await act(noting(tx, texts));
  });
  await store.close();
  const database = new Database(":memory:");
  for (const { sql, sqlite = "" } of migrations) database.run(sql + sqlite);
  const plans = texts.flatMap((text) => {
    const explain = database.prepare<{ detail: string }, null[]>(`EXPLAIN QUERY PLAN ${text}`);
    const details = explain.all(...Array<null>(text.split("?").length - 1).fill(null));
    explain.finalize();
    return details.map(({ detail }) => detail);
  });
  database.close();
  return plans;
}

/** Statements whose cost must not grow with what is stored. */
const statements: Record<string, (tx: Tx) => Promise<unknown>> = {
  "approvalRules.insert": (tx) =>
    approvalRules.insert(tx, {
      id: "rul_1",
      principal: "alice",
      sessionId: "s1",
      toolName: "write_file",
      pattern: '"a"',
      approved: true,
      decidedBy: "operator",
      createdAt: now,
    }),
  "approvalRules.match": (tx) =>
    approvalRules.match(tx, { principal: "alice", sessionId: "s1", toolName: "write_file", pattern: '"a"' }),
  "approvalRules.list": (tx) => approvalRules.list(tx, { limit: 5 }),
  "approvalRules.remove": (tx) => approvalRules.remove(tx, "rul_1"),
  "approvalRules.forgetSession": (tx) => approvalRules.forgetSession(tx, "s1"),
  "audit.record": async (tx) => {
    const trail = createAuditTrail({ chain: "c1" });
    await trail.recordStart(tx, anEvent());
    await trail.record(tx, anEvent());
  },
  "audit.nextChain": (tx) => audit.nextChain(tx, "c1"),
  "audit.hasOld": (tx) => audit.hasOld(tx, "c1", now),
  "audit.rowsAfter": (tx) => audit.rowsAfter(tx, "c1", 0, 5),
  "audit.sweepChain": async (tx) => {
    await createAuditTrail({ chain: "c1", now: () => now }).record(tx, anEvent());
    await sweepChain(tx, "c1", { before: now + 1, most: 5, now, key: auditKey });
  },
  "sessions.open": (tx) => aSession(tx, "s2"),
  "sessions.append": (tx) => sessions.append(tx, "s1", "t1", userMessage("hello"), now),
  "sessions.summarise": (tx) =>
    sessions.summarise(tx, {
      sessionId: "s1",
      turnId: "t1",
      keptFrom: "e1",
      message: userMessage("summary"),
      now,
    }),
  "sessions.setLeaf": async (tx) =>
    sessions.setLeaf(tx, "s1", await sessions.append(tx, "s1", "t", userMessage("x"), now), now),
  "sessions.setModel": (tx) => sessions.setModel(tx, "s1", "m", now),
  "sessions.touch": (tx) => sessions.touch(tx, "s1", now),
  "sessions.list": (tx) => sessions.list(tx, { limit: 5 }),
  "sessions.list of an owner": (tx) => sessions.list(tx, { owner: "alice", limit: 5 }),
  "sessions.remove": (tx) => sessions.remove(tx, "s1"),
  "sessions.messages": (tx) => sessions.messages(tx, "s1", { limit: 5 }),
  "sessions.entry": (tx) => sessions.entry(tx, "e1"),
  "branches.create": (tx) => branches.create(tx, "s1", { name: "b", now }),
  "branches.freeName": (tx) => branches.freeName(tx, "s1"),
  "branches.list": (tx) => branches.list(tx, "s1", { limit: 5 }),
  "branches.remove": async (tx) => {
    await branches.create(tx, "s1", { name: "b", now });
    await branches.remove(tx, "s1", "b");
  },
  "branches.restore": async (tx) => {
    await sessions.append(tx, "s1", "t", userMessage("x"), now);
    await branches.restore(tx, "s1", "root", now);
  },
  "retention.beginErase": (tx) => retention.beginErase(tx, "s1"),
  "retention.eraseSome": (tx) => retention.eraseSome(tx, "s1", 1),
  "retention.idleSessions": (tx) => retention.idleSessions(tx, now, 5),
  "retention.nextLogged": (tx) => retention.nextLogged(tx, "s1"),
  "turns.insert": (tx) => turns.insert(tx, aTurn("t2")),
  "turns.find": (tx) => turns.find(tx, "t1"),
  "turns.findByMessage": (tx) => turns.findByMessage(tx, "s1", "m1"),
  "turns.start": (tx) => turns.start(tx, "t1", { now }),
  "turns.forgetMessage": (tx) => turns.forgetMessage(tx, "t1"),
  "turns.unstart": (tx) => turns.unstart(tx, "t1"),
  "turns.setState": (tx) => turns.setState(tx, "t1", "running"),
  "turns.finish": (tx) => turns.finish(tx, "t1", { state: "done", usage: noUsage, now }),
  "turns.hasUnfinished": (tx) => turns.hasUnfinished(tx, "s1"),
  "turns.startedSince": (tx) => turns.startedSince(tx, "s1", 0),
  "turns.findFirst": (tx) => turns.findFirst(tx, "s1"),
  "turns.list": (tx) => turns.list(tx, "s1", { limit: 5 }),
  "events.append": (tx) => events.append(tx, "s1", "t1", ["{}"], now),
  "events.after": (tx) => events.after(tx, "s1", 0, { limit: 5 }),
  "events.after of a turn": (tx) => events.after(tx, "s1", 0, { turnId: "t1", limit: 5 }),
  "usage.record": (tx) =>
    usage.record(tx, {
      ...noUsage,
      turnId: "t1",
      sessionId: "s1",
      principal: "a",
      channel: "c",
      model: "m",
      now,
    }),
  "usage.spentBySession": (tx) => usage.spentBySession(tx, "s1"),
  "usage.spentByTurn": (tx) => usage.spentByTurn(tx, "t1"),
  "usage.spentOnDay": (tx) => usage.spentOnDay(tx, "2026-11-23"),
  "usage.spentOnDay of a name": (tx) => usage.spentOnDay(tx, "2026-11-23", "alice"),
  "responses.find": (tx) => responses.find(tx, "r1"),
  "responses.remove": (tx) => responses.remove(tx, "r1"),
  "responses.removeBefore": (tx) => responses.removeBefore(tx, now, 5),
  "notes.get": (tx) => notes.get(tx, "alice", "k"),
  "notes.put": (tx) => notes.put(tx, "alice", { key: "k", content: "c", now }),
  "notes.remove": (tx) => notes.remove(tx, "alice", "k"),
  "notes.list": (tx) => notes.list(tx, "alice", { limit: 5 }),
  "approvals.find": (tx) => approvals.find(tx, "apr_1"),
  "approvals.decide": (tx) => approvals.decide(tx, "apr_1", "denied", undefined, now),
  "approvals.start": (tx) => approvals.start(tx, "apr_1", now),
  "approvals.removeUnkept": (tx) => approvals.removeUnkept(tx, now, 5),
  "approvals.byCall": (tx) => approvals.byCall(tx, "t1", "call_1"),
  "outbox.enqueue": (tx) => outbox.enqueue(tx, somePieces),
  "outbox.retry": (tx) => outbox.retry(tx, "o1", now),
  "outbox.noteReceipt": (tx) =>
    outbox.noteReceipt(tx, { channel: "post", providerId: "m1", receipt: "delivered" }),
  "lines.due": (tx) => lines.due(tx, "post", now, 5),
  "lines.nextAt": (tx) => lines.nextAt(tx, "post"),
  "lines.claim and note": async (tx) => {
    await outbox.enqueue(tx, somePieces);
    const hold = { owner: "p", now, leaseMs: 1 };
    const row = await lines.claim(tx, somePieces, hold);
    if (row === undefined) throw new Error("Nothing was claimed.");
    await lines.note(tx, row, { kind: "sent" }, { ...hold, goOn: true });
  },
  "previews.find": (tx) => previews.find(tx, "t1"),
  "deliveries.isKnown": (tx) => deliveries.isKnown(tx, { channel: "post", id: "d1" }, now),
  "heldParts.hold": (tx) => heldParts.hold(tx, aPart, now, 5),
  "heldParts.read": (tx) => heldParts.read(tx, aPart, 5),
  "heldParts.release": (tx) => heldParts.release(tx, "post", ["d1"]),
  "pairings.find": (tx) => pairings.find(tx, "post", "s1"),
  "pairings.countAsked": (tx) => pairings.countAsked(tx, "post", now),
  "pairings.open": (tx) => pairings.open(tx, { channel: "post", now }),
  "pairings.list": (tx) => pairings.list(tx, { limit: 5 }),
};

for (const [name, act] of Object.entries(statements))
  test(`${name} finds its rows by an index and sorts none`, async () => {
    const plans = await plansOf(act);
    const sorts = name === "approvals.byCall" ? [] : plans.filter((plan) => plan.includes("TEMP B-TREE"));
    // `tree`: a turn and its delegates, which are what is asked about.
    expect(plans.filter((plan) => /^SCAN (?!CONSTANT ROW|tree)/.test(plan))).toEqual([]);
    expect(sorts).toEqual([]);
  });

test("sessions.list of an owner reads no session of others", async () => {
  const plans = await plansOf((tx) => sessions.list(tx, { owner: "alice", limit: 5 }));
  expect(plans).toEqual([expect.stringContaining("sessions_by_owner (owner=? AND (updated_at,id)<(?,?))")]);
});

test("sessions.path walks by the primary key", async () => {
  const plans = await plansOf(async (tx) => {
    const leaf = await sessions.append(tx, "s1", "t1", userMessage("hello"), now);
    await sessions.path(tx, leaf, 1000);
  });
  expect(plans.filter((plan) => plan.includes("entries")).every((plan) => plan.startsWith("SEARCH"))).toBe(
    true,
  );
});

test("turns.unfinished and approvals.pending look only at what is open", async () => {
  const plans = await plansOf(async (tx) => {
    await turns.unfinished(tx);
    await approvals.pending(tx);
    await approvals.pending(tx, { requester: "alice" });
  });
  expect(
    plans.filter((plan) => /^SCAN (turns|approvals)/.test(plan)).map((plan) => plan.split(" ").at(-1)),
  ).toEqual(["turns_unfinished", "approvals_pending", "approvals_pending"]);
});

test("compare walks by the primary key, and sorts only the windows that it tells", async () => {
  const plans = await plansOf(async (tx) => {
    const left = await sessions.append(tx, "s1", "t1", userMessage("left"), now);
    await sessions.setLeaf(tx, "s1", null, now);
    const right = await sessions.append(tx, "s1", "t1", userMessage("right"), now);
    const session = await sessions.find(tx, "s1");
    if (session !== undefined) await compare(tx, session, { left, right, limit: 5 });
  });
  // What a recursive statement has found so far is all that it reads whole.
  expect(plans.filter((plan) => plan.startsWith("SCAN") && !plan.startsWith("SCAN back"))).toEqual([]);
  expect(plans.filter((plan) => plan.includes("TEMP B-TREE FOR ORDER BY"))).toHaveLength(2);
});
