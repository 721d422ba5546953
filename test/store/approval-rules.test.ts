import { expect } from "bun:test";
import * as rules from "../../src/store/approval-rules.ts";
import { beginErase } from "../../src/store/retention.ts";
import * as sessions from "../../src/store/sessions.ts";
import { aSession, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

const aRule = (id: string, more: Partial<rules.ApprovalRule> = {}): rules.ApprovalRule => ({
  id,
  principal: "alice",
  toolName: "write_file",
  pattern: '"a.txt"',
  approved: true,
  decidedBy: "operator",
  createdAt: now,
  ...more,
});
const call = { principal: "alice", toolName: "write_file", pattern: '"a.txt"' };

forEachStore("match finds the rule of exactly this principal, tool and pattern", async (store) => {
  await store.write(async (tx) => {
    await rules.insert(tx, aRule("rul_1", { note: "fine" }));
    expect(await rules.match(tx, call)).toEqual(aRule("rul_1", { note: "fine" }));
    expect((await rules.match(tx, { ...call, sessionId: "s9" }))?.id).toBe("rul_1");
    for (const other of [
      { principal: "bob" },
      { toolName: "edit_file" },
      { pattern: '"a.txt "' },
      { pattern: '"A.txt"' },
      { pattern: '{"path":"a.txt"}' },
      { pattern: "" },
    ])
      expect(await rules.match(tx, { ...call, ...other })).toBeUndefined();
  });
});

forEachStore(
  "match knows a rule of a session in that session alone, and one that refuses wins",
  async (store) => {
    await store.write(async (tx) => {
      await aSession(tx, "s1");
      await rules.insert(tx, aRule("rul_1", { sessionId: "s1" }));
      expect((await rules.match(tx, { ...call, sessionId: "s1" }))?.id).toBe("rul_1");
      expect(await rules.match(tx, { ...call, sessionId: "s2" })).toBeUndefined();
      expect(await rules.match(tx, call)).toBeUndefined();
      await rules.insert(tx, aRule("rul_2", { approved: false, createdAt: now + 1 }));
      expect((await rules.match(tx, { ...call, sessionId: "s1" }))?.id).toBe("rul_2");
      await rules.remove(tx, "rul_2");
      await rules.insert(tx, aRule("rul_3", { approved: false, sessionId: "s1" }));
      await rules.insert(tx, aRule("rul_4"));
      expect((await rules.match(tx, { ...call, sessionId: "s1" }))?.id).toBe("rul_3");
      expect((await rules.match(tx, { ...call, sessionId: "s2" }))?.id).toBe("rul_4");
    });
  },
);

forEachStore(
  "list gives all rules in pages, the newest first, and remove takes one away once",
  async (store) => {
    await store.write(async (tx) => {
      for (const at of [1, 2, 3]) await rules.insert(tx, aRule(`rul_${at}`, { createdAt: now + at }));
      const page = await rules.list(tx, { limit: 2 });
      expect(page.items.map(({ id }) => id)).toEqual(["rul_3", "rul_2"]);
      const rest = await rules.list(tx, { limit: 2, cursor: page.next ?? "" });
      expect(rest.items.map(({ id }) => id)).toEqual(["rul_1"]);
      expect(rest.next).toBeUndefined();
      expect((await rules.remove(tx, "rul_1"))?.id).toBe("rul_1");
      expect(await rules.remove(tx, "rul_1")).toBeUndefined();
    });
  },
);

forEachStore("a rule of a session ends with it, by a reset or when it is deleted", async (store) => {
  await store.write(async (tx) => {
    for (const id of ["s1", "s2"]) await aSession(tx, id);
    await rules.insert(tx, aRule("rul_1", { sessionId: "s1" }));
    await rules.insert(tx, aRule("rul_2", { sessionId: "s2" }));
    await rules.insert(tx, aRule("rul_3"));
    await rules.forgetSession(tx, "s1");
    await sessions.remove(tx, "s2");
    expect((await rules.list(tx, { limit: 10 })).items.map(({ id }) => id)).toEqual(["rul_3"]);
  });
});

forEachStore("insert keeps no rule of a session that is gone or is being deleted", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx, "s1");
    await beginErase(tx, "s1");
    for (const sessionId of ["s1", "never"]) await rules.insert(tx, aRule(`rul_${sessionId}`, { sessionId }));
    expect((await rules.list(tx, { limit: 10 })).items).toEqual([]);
  });
});
