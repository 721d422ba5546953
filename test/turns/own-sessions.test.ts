import { expect, test } from "bun:test";
import { memoryStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import * as turns from "../../src/store/turns.ts";
import { ownSessions } from "../../src/turns/own-sessions.ts";
import { aProcess } from "../scheduler/a-scheduler.ts";

test("ownSessions sends with no more tools, tokens and approvers than the call has", async () => {
  const store = await memoryStore();
  const one = aProcess(store);
  await store.write((tx) => sessions.open(tx, { id: "other", owner: "alice", channel: "http", now: 1 }));
  const limits = { onlyTools: ["time"], maxTokens: 700, approver: "none" } as const;
  const asking = { principal: "alice", turnId: "t1", callId: "c1", sessionId: "s1", ...limits };
  const { turnId } = await ownSessions(store, one.turns.accept, asking).send("other", "hi");
  const row = await store.read((tx) => turns.find(tx, turnId));
  expect(JSON.parse(row?.request ?? "{}")).toMatchObject(limits);
});
