import { expect } from "bun:test";
import * as approvals from "../../src/store/approvals.ts";
import * as turns from "../../src/store/turns.ts";
import { anApproval, aSession, aTurn, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

forEachStore("insert keeps a question with all that a person must see", async (store) => {
  await store.write((tx) => approvals.insert(tx, anApproval()));
  expect(await store.read((tx) => approvals.find(tx, "apr_1"))).toEqual(anApproval());
  expect(await store.read((tx) => approvals.find(tx, "apr_2"))).toBeUndefined();
});

forEachStore("decide decides once", async (store) => {
  await store.write(async (tx) => {
    await approvals.insert(tx, anApproval());
    expect(await approvals.decide(tx, "apr_1", "denied", "not now", now + 1)).toBe(true);
    for (const state of ["approved", "denied", "expired"] as const)
      expect(await approvals.decide(tx, "apr_1", state, undefined, now + 1)).toBe(false);
    expect(await approvals.find(tx, "apr_1")).toEqual(
      anApproval("apr_1", { state: "denied", note: "not now" }),
    );
    expect(await approvals.decide(tx, "apr_9", "approved", undefined, now)).toBe(false);
  });
});

forEachStore("decide approves nothing whose time is over, but lets it expire", async (store) => {
  await store.write(async (tx) => {
    await approvals.insert(tx, anApproval());
    const { expiresAt } = anApproval();
    for (const at of [expiresAt, expiresAt + 1])
      for (const state of ["approved", "denied"] as const)
        expect(await approvals.decide(tx, "apr_1", state, undefined, at)).toBe(false);
    expect(await approvals.decide(tx, "apr_1", "expired", undefined, expiresAt)).toBe(true);
    expect((await approvals.find(tx, "apr_1"))?.state).toBe("expired");

    await approvals.insert(tx, anApproval("apr_2"));
    expect(await approvals.decide(tx, "apr_2", "approved", undefined, expiresAt - 1)).toBe(true);
  });
});

forEachStore("pending lists the open questions of a requester, or of all, oldest first", async (store) => {
  await store.write(async (tx) => {
    await approvals.insert(tx, anApproval("apr_3", { askedAt: now + 2 }));
    await approvals.insert(tx, anApproval("apr_1", { askedAt: now, requester: "bob" }));
    await approvals.insert(tx, anApproval("apr_2", { askedAt: now + 1 }));
    await approvals.insert(tx, anApproval("apr_4", { askedAt: now + 3 }));
    await approvals.decide(tx, "apr_4", "approved", undefined, now);
    const ids = async (of?: { requester: string }) => (await approvals.pending(tx, of)).map(({ id }) => id);
    expect(await ids()).toEqual(["apr_1", "apr_2", "apr_3"]);
    expect(await ids({ requester: "alice" })).toEqual(["apr_2", "apr_3"]);
    expect(await ids({ requester: "mallory" })).toEqual([]);
    const endsAfter = anApproval().expiresAt;
    await approvals.insert(tx, anApproval("apr_5", { expiresAt: endsAfter + 1 }));
    expect((await approvals.pending(tx, { endsAfter })).map(({ id }) => id)).toEqual(["apr_5"]);
  });
});

forEachStore("byCall finds the newest question about a call of a turn", async (store) => {
  await store.write(async (tx) => {
    await approvals.insert(tx, anApproval("apr_1", { state: "expired" }));
    await approvals.insert(tx, anApproval("apr_2", { askedAt: now + 1 }));
    await approvals.insert(tx, anApproval("apr_3", { askedAt: now + 2, turnId: "t2" }));
    expect((await approvals.byCall(tx, "t1", "call_1"))?.id).toBe("apr_2");
    expect(await approvals.byCall(tx, "t1", "call_2")).toBeUndefined();
  });
});

forEachStore("removeUnkept deletes old questions of turns that are not kept, some at once", async (store) => {
  await store.write(async (tx) => {
    const { sessionId: _, ...unkept } = anApproval();
    for (const id of ["apr_1", "apr_2", "apr_3"]) await approvals.insert(tx, { ...unkept, id, turnId: id });
    await approvals.insert(tx, { ...unkept, id: "apr_4", turnId: "other", expiresAt: now + 5000 });
    // A delegate of a turn that is not kept is kept itself: its session takes the question with it.
    await aSession(tx);
    await turns.insert(tx, aTurn("kept"));
    await approvals.insert(tx, { ...unkept, id: "apr_5", turnId: "kept" });
    expect(await approvals.removeUnkept(tx, unkept.expiresAt, 2)).toBe(0);
    expect(await approvals.removeUnkept(tx, unkept.expiresAt + 1, 2)).toBe(2);
    expect(await approvals.removeUnkept(tx, unkept.expiresAt + 1, 2)).toBe(1);
    expect((await approvals.pending(tx)).map(({ id }) => id)).toEqual(["apr_4", "apr_5"]);
  });
});
