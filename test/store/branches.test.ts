import { expect, test } from "bun:test";
import * as v from "valibot";
import { userMessage } from "../../src/llm/message.ts";
import * as branches from "../../src/store/branches.ts";
import type { Store } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import type { Tx } from "../../src/store/tx.ts";
import { aSession, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

/** Appends texts to a session; returns the ids of their entries. */
async function grow(tx: Tx, texts: readonly string[], session = "s1") {
  const ids: string[] = [];
  for (const text of texts) ids.push(await sessions.append(tx, session, undefined, userMessage(text), now));
  return ids;
}

const leafOf = async (tx: Tx, session = "s1") => (await sessions.find(tx, session))?.leafId;
const namesOf = async (tx: Tx) =>
  (await branches.list(tx, "s1", { limit: 200 })).items.map(({ name }) => name);
const create = (tx: Tx, name: string, at?: string, time = now) =>
  branches.create(tx, "s1", { name, now: time, ...(at !== undefined && { at }) });

/** Runs `act` in a write of a store with the session `s1`. */
async function inSession(store: Store, act: (tx: Tx) => Promise<void>) {
  await store.write(async (tx) => {
    await aSession(tx);
    await act(tx);
  });
}

forEachStore(
  "create names the leaf, an entry, another branch or the root, and none of them moves",
  async (store) => {
    await inSession(store, async (tx) => {
      const [first = "", second = ""] = await grow(tx, ["one", "two"]);
      expect(await create(tx, "here")).toEqual({
        name: "here",
        entryId: second,
        messages: 2,
        kept: false,
        createdAt: now,
      });
      expect(await create(tx, "early", first)).toMatchObject({ entryId: first, messages: 1 });
      expect(await create(tx, "also early", "early")).toMatchObject({ entryId: first });
      const root = await create(tx, "begin", "root");
      expect([root.entryId, root.messages]).toEqual([undefined, 0]);
      await grow(tx, ["three"]);
      const { items } = await branches.list(tx, "s1", { limit: 10 });
      expect(items.map(({ name, messages }) => [name, messages]).sort()).toEqual([
        ["also early", 1],
        ["begin", 0],
        ["early", 1],
        ["here", 2],
      ]);
    });
  },
);

forEachStore("create points at the root while a session holds nothing", async (store) => {
  await inSession(store, async (tx) => {
    expect((await create(tx, "empty")).entryId).toBeUndefined();
    expect((await create(tx, "too", "leaf")).messages).toBe(0);
  });
});

forEachStore(
  "create refuses an entry of another session like one that is not there, and a summary",
  async (store) => {
    await inSession(store, async (tx) => {
      await aSession(tx, "s2");
      const [foreign = ""] = await grow(tx, ["theirs"], "s2");
      for (const at of [foreign, Bun.randomUUIDv7(), "no such branch"])
        await expect(create(tx, "b", at)).rejects.toMatchObject({
          code: "not_found",
          message: expect.stringContaining(at),
        });
      const [, second = ""] = await grow(tx, ["one", "two"]);
      const of = { sessionId: "s1", turnId: "t1", keptFrom: second, message: userMessage("a summary"), now };
      const summary = (await sessions.summarise(tx, of)) ?? "";
      await expect(create(tx, "b", summary)).rejects.toMatchObject({ code: "not_found" });
      await expect(branches.create(tx, "s9", { name: "b", now })).rejects.toMatchObject({
        code: "not_found",
      });
      expect(await namesOf(tx)).toEqual([]);
    });
  },
);

forEachStore(
  "create refuses a name that is taken in this session, and takes it in another",
  async (store) => {
    await inSession(store, async (tx) => {
      await aSession(tx, "s2");
      await create(tx, "b");
      await expect(create(tx, "b")).rejects.toMatchObject({ code: "conflict", param: "name" });
      expect(await branches.create(tx, "s2", { name: "b", now })).toMatchObject({ name: "b" });
    });
  },
);

forEachStore("create refuses names that mean something else", async (store) => {
  await inSession(store, async (tx) => {
    for (const name of ["root", "leaf", "before-restore-1", Bun.randomUUIDv7()])
      await expect(create(tx, name)).rejects.toMatchObject({ code: "bad_request", param: "name" });
  });
});

forEachStore("create refuses the branch after the 200th, until one is removed", async (store) => {
  await inSession(store, async (tx) => {
    for (let number = 0; number < branches.mostBranches; number++) await create(tx, `b${number}`);
    await expect(create(tx, "one more")).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("200"),
    });
    await branches.remove(tx, "s1", "b7");
    expect(await create(tx, "one more")).toMatchObject({ name: "one more" });
  });
});

test("BranchName takes what people write, and nothing that could be a path or break a line", () => {
  const good = ["a", "try 2", "Zweiter-Versuch", "試み", "नई शाखा", "v1.2_final", "x".repeat(64)];
  const bad = [
    "",
    " a",
    "a ",
    "a  b",
    "../x",
    ".",
    "-x",
    "a/b",
    "a\nb",
    "a\0",
    "\u202ea",
    "a\u200b",
    "x".repeat(65),
  ];
  for (const name of good) expect(v.safeParse(branches.BranchName, name).success).toBe(true);
  for (const name of bad)
    expect([name, v.safeParse(branches.BranchName, name).success]).toEqual([name, false]);
  expect(v.parse(branches.BranchName, "e\u0301")).toBe("é");
});

forEachStore("freeName counts on past the names that are taken", async (store) => {
  await inSession(store, async (tx) => {
    expect(await branches.freeName(tx, "s1")).toBe("branch-1");
    await create(tx, "branch-1");
    await create(tx, "branch-3");
    expect(await branches.freeName(tx, "s1")).toBe("branch-2");
  });
});

forEachStore("list pages through the branches, newest first, each once", async (store) => {
  await inSession(store, async (tx) => {
    // Several share a time, so that the name must decide.
    for (let number = 0; number < 25; number++)
      await create(tx, `b${String(number).padStart(2, "0")}`, "root", now + (number >> 2));
    const names: string[] = [];
    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await branches.list(tx, "s1", { limit: 10, ...(cursor !== undefined && { cursor }) });
      names.push(...page.items.map(({ name }) => name));
      sizes.push(page.items.length);
      cursor = page.next;
    } while (cursor !== undefined);
    expect(sizes).toEqual([10, 10, 5]);
    expect(names).toEqual([...names].sort().reverse());
    for (const bad of ["", "x", Buffer.from('["a","b"]').toString("base64url")])
      await expect(branches.list(tx, "s1", { limit: 1, cursor: bad })).rejects.toMatchObject({
        code: "bad_request",
        param: "cursor",
      });
  });
});

forEachStore(
  "restore points the session at a branch and keeps where it stood, so that both sides go on",
  async (store) => {
    await inSession(store, async (tx) => {
      await grow(tx, ["one", "two"]);
      await create(tx, "fork");
      const [left = ""] = await grow(tx, ["left"]);
      const { kept, depth } = await branches.restore(tx, "s1", "fork", now + 7);
      expect([kept, depth]).toEqual([`before-restore-${now + 7}`, 2]);
      const [right = ""] = await grow(tx, ["right"]);
      expect((await sessions.entry(tx, right))?.depth).toBe(3);
      await branches.restore(tx, "s1", kept ?? "", now + 8);
      expect(await leafOf(tx)).toBe(left);
      expect(await namesOf(tx)).toEqual([`before-restore-${now + 8}`, `before-restore-${now + 7}`, "fork"]);
    });
  },
);

forEachStore(
  "restore goes to the root and to any entry of the session, and stays where it stands already",
  async (store) => {
    await inSession(store, async (tx) => {
      const [first = "", second = ""] = await grow(tx, ["one", "two"]);
      expect(await branches.restore(tx, "s1", "leaf", now)).toEqual({ entryId: second, depth: 2 });
      expect(await branches.restore(tx, "s1", second.toUpperCase(), now)).toEqual({
        entryId: second,
        depth: 2,
      });
      expect(await namesOf(tx)).toEqual([]);
      await branches.restore(tx, "s1", "root", now);
      expect(await leafOf(tx)).toBeUndefined();
      await branches.restore(tx, "s1", first, now);
      expect(await leafOf(tx)).toBe(first);
    });
  },
);

forEachStore(
  "restore keeps the newest 20 places, whatever the clock does, and counts none of them",
  async (store) => {
    await inSession(store, async (tx) => {
      const [one = "", two = ""] = await grow(tx, ["one", "two"]);
      for (let number = 0; number < branches.mostBranches; number++) await create(tx, `b${number}`);
      const kept: (string | undefined)[] = [];
      // Always the same millisecond, and then an hour back.
      for (let number = 0; number < 30; number++) {
        const time = number < 20 ? now : now - 3_600_000;
        kept.push((await branches.restore(tx, "s1", number % 2 === 0 ? one : two, time)).kept);
      }
      expect(new Set(kept).size).toBe(30);
      const { items } = await branches.list(tx, "s1", { limit: 200 });
      expect(items.filter((item) => item.kept).map(({ name }) => name)).toEqual(
        kept.slice(-20).reverse().map(String),
      );
    });
  },
);

forEachStore("restore leaves everything as it was when there is no such place", async (store) => {
  await inSession(store, async (tx) => {
    await aSession(tx, "s2");
    const [foreign = ""] = await grow(tx, ["theirs"], "s2");
    const [mine = ""] = await grow(tx, ["mine"]);
    await branches.create(tx, "s2", { name: "theirs", now });
    for (const point of [foreign, "theirs", "nothing"])
      await expect(branches.restore(tx, "s1", point, now)).rejects.toMatchObject({ code: "not_found" });
    expect(await leafOf(tx)).toBe(mine);
    expect(await namesOf(tx)).toEqual([]);
  });
});

forEachStore("remove forgets the name alone, and goes with its session", async (store) => {
  await inSession(store, async (tx) => {
    const [entry = ""] = await grow(tx, ["one"]);
    await create(tx, "b");
    await create(tx, "c");
    await branches.remove(tx, "s1", "b");
    expect(await sessions.entry(tx, entry)).toBeDefined();
    await expect(branches.remove(tx, "s1", "b")).rejects.toMatchObject({ code: "not_found" });
    await sessions.remove(tx, "s1");
    expect(await tx`SELECT name FROM branches`).toEqual([]);
  });
});

forEachStore("create and restore cost the same however long the history is", async (store) => {
  await inSession(store, async (tx) => {
    await grow(tx, ["first"]);
    const statements = async () => {
      let count = 0;
      const counting: Tx = Object.assign(
        (parts: TemplateStringsArray, ...values: Parameters<Tx>[1][]) => {
          count += 1;
          return tx(parts, ...values);
        },
        { dialect: tx.dialect },
      );
      const name = `at ${await leafOf(tx)}`.slice(0, 20);
      await branches.create(counting, "s1", { name, now });
      await branches.restore(counting, "s1", "root", now);
      await branches.restore(counting, "s1", name, now);
      await branches.remove(counting, "s1", name);
      return count;
    };
    const few = await statements();
    await grow(
      tx,
      Array.from({ length: 2000 }, (_, number) => `message ${number}`),
    );
    expect(await statements()).toBe(few);
  });
});
