import { expect } from "bun:test";
import * as fc from "fast-check";
import * as notes from "../../src/store/notes.ts";
import type { Tx } from "../../src/store/tx.ts";
import { now } from "./records.ts";
import { forEachStore } from "./stores.ts";

const put = (tx: Tx, key: string, content: string, owner = "alice", at = now) =>
  notes.put(tx, owner, { key, content, now: at });
const keys = async (
  tx: Tx,
  query: string,
  options: { prefix?: string; limit?: number; owner?: string } = {},
) =>
  (await notes.search(tx, options.owner ?? "alice", query, { limit: 10, ...options })).map(({ key }) => key);

forEachStore("put writes a note and writes it anew, each owner by itself", async (store) => {
  await store.write(async (tx) => {
    await put(tx, "colour", "red");
    await put(tx, "colour", "green", "bob");
    await put(tx, "colour", "blue", "alice", now + 1);
    expect(await notes.get(tx, "alice", "colour")).toEqual({
      key: "colour",
      content: "blue",
      updatedAt: now + 1,
    });
    expect(await notes.get(tx, "bob", "colour")).toMatchObject({ content: "green" });
    expect(await notes.get(tx, "carol", "colour")).toBeUndefined();
    expect(await notes.remove(tx, "alice", "colour")).toBe(true);
    expect(await notes.remove(tx, "alice", "colour")).toBe(false);
    expect(await notes.get(tx, "bob", "colour")).toBeDefined();
  });
});

forEachStore("put refuses a key or a text out of bounds, and keeps any other as it is", async (store) => {
  await store.write(async (tx) => {
    await expect(put(tx, "", "text")).rejects.toMatchObject({ code: "bad_request", param: "key" });
    await expect(put(tx, "k".repeat(513), "text")).rejects.toMatchObject({
      code: "bad_request",
      param: "key",
    });
    await expect(put(tx, "k", "x".repeat(131_073))).rejects.toMatchObject({ code: "payload_too_large" });
    for (const odd of ["'; --", "a\0b", "a\ud800b", "🎉", "../x", "%_", "x".repeat(512)]) {
      await put(tx, odd, odd);
      // What no database can hold leaves a mark, so that no name becomes another one.
      const kept = odd.replace(/\0|\ud800/, "\ufffd");
      expect(await notes.get(tx, "alice", odd)).toMatchObject({ key: kept, content: kept });
    }
  });
});

forEachStore("list pages through the notes of an owner by key", async (store) => {
  await store.write(async (tx) => {
    for (const key of ["c", "a", "d", "b", "e"]) await put(tx, key, key);
    await put(tx, "foreign", "x", "bob");
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await notes.list(tx, "alice", { limit: 2, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.items.map(({ key }) => key));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen).toEqual(["a", "b", "c", "d", "e"]);
    await expect(notes.list(tx, "alice", { limit: 2, cursor: "x" })).rejects.toMatchObject({
      code: "bad_request",
    });
  });
});

forEachStore(
  "search finds words, parts of words and keys, whatever their case and accents, best first",
  async (store) => {
    await store.write(async (tx) => {
      await put(tx, "deploy", "The deployment runs on Fridays. Deploy with make, then deploy again.");
      await put(tx, "food", "Alice likes Café crème.");
      await put(
        tx,
        "other",
        "Once we had to deploy something, long ago, among much else that we did in that year.",
      );
      expect(await keys(tx, "deploy")).toEqual(["deploy", "other"]);
      expect(await keys(tx, "DEPLOY?")).toEqual(["deploy", "other"]);
      expect(await keys(tx, "ploym")).toEqual(["deploy"]);
      expect(await keys(tx, "cafe")).toEqual(["food"]);
      expect(await keys(tx, "food")).toEqual(["food"]);
      expect(await keys(tx, "what did I say about crème yesterday")).toContain("food");
      expect(await keys(tx, "zebra")).toEqual([]);
      expect(await keys(tx, "deploy", { limit: 1 })).toEqual(["deploy"]);
    });
  },
);

forEachStore(
  "search finds Chinese, Japanese, Korean and emoji, and words shorter than the index holds",
  async (store) => {
    await store.write(async (tx) => {
      await put(tx, "tokyo", "来月は東京タワーに行く");
      await put(tx, "seoul", "서울에서 회의");
      await put(tx, "party", "bring 🎉 and 50%");
      await put(tx, "go", "Go is a language");
      expect(await keys(tx, "東京タワー")).toEqual(["tokyo"]);
      expect(await keys(tx, "東京")).toEqual(["tokyo"]);
      // A whole sentence without spaces still finds the note that shares a part of it.
      expect(await keys(tx, "東京タワーについて教えて")).toEqual(["tokyo"]);
      expect(await keys(tx, "서울")).toEqual(["seoul"]);
      expect(await keys(tx, "🎉")).toEqual(["party"]);
      expect(await keys(tx, "go")).toContain("go");
      // Signs of patterns are letters like others.
      expect(await keys(tx, "0%")).toEqual(["party"]);
      expect(await keys(tx, "_")).toEqual([]);
      expect(await keys(tx, "%")).toEqual(["party"]);
    });
  },
);

forEachStore("search stays with its owner and under its prefix", async (store) => {
  await store.write(async (tx) => {
    await put(tx, "work/plan", "secret plan");
    await put(tx, "workshop", "secret plan");
    await put(tx, "w%rk/", "secret plan");
    await put(tx, "work/plan", "secret plan", "bob");
    expect((await keys(tx, "secret", { prefix: "work/" })).sort()).toEqual(["work/plan"]);
    expect((await keys(tx, "secret", { prefix: "work" })).sort()).toEqual(["work/plan", "workshop"]);
    expect(await keys(tx, "secret", { prefix: "w%" })).toEqual(["w%rk/"]);
    expect(await keys(tx, "se", { prefix: "W" })).toEqual([]);
    expect(await keys(tx, "secret", { owner: "bob" })).toEqual(["work/plan"]);
    expect(await keys(tx, "secret", { owner: "carol" })).toEqual([]);
  });
});

forEachStore("search forgets what a note said before, and a note that was removed", async (store) => {
  await store.write(async (tx) => {
    await put(tx, "k", "elephant");
    await put(tx, "k", "giraffe");
    expect([await keys(tx, "elephant"), await keys(tx, "giraffe")]).toEqual([[], ["k"]]);
    await notes.remove(tx, "alice", "k");
    expect(await keys(tx, "giraffe")).toEqual([]);
    await put(tx, "k", "elephant");
    expect(await keys(tx, "elephant")).toEqual(["k"]);
  });
});

const hostile = [
  '"',
  '""""',
  "'",
  "a\"b'c",
  "-",
  "-deploy",
  "?",
  "*",
  "dep*",
  "^dep",
  "AND",
  "deploy AND",
  "OR OR OR",
  "NOT deploy",
  "NEAR(a b, 5)",
  "key:deploy",
  "{key content}: deploy",
  "(((",
  "deploy)",
  "\\",
  "%_\\",
  "\0",
  "dep\0loy",
  "\ud800",
  "a\udc00bc",
  "",
  " \n\t ",
  "東京 AND 京",
  "👩‍👩‍👧‍👧👩‍👩‍👧‍👧",
  "'; DROP TABLE notes; --",
  "e\u0301\u0301\u0301",
  "x".repeat(1_000_000),
  "ab ".repeat(300_000),
  '" '.repeat(500_000),
  "東".repeat(1_000_000),
];

forEachStore("search never throws on any text, and takes its signs for text", async (store) => {
  await store.write(async (tx) => {
    await put(tx, "deploy", "how to deploy");
    await put(tx, "long", "a".repeat(131_072));
    for (const text of hostile) expect(Array.isArray(await keys(tx, text))).toBe(true);
    for (const prefix of hostile) expect(Array.isArray(await keys(tx, "deploy", { prefix }))).toBe(true);
    expect(await keys(tx, "-deploy")).toEqual(["deploy"]);
    expect(await keys(tx, 'say "deploy" NOT')).toEqual(["deploy"]);
  });
});

forEachStore(
  "search never throws on any text that fast-check can think of, and finds a note by its own words",
  async (store) => {
    const texts = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string());
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        await store.write(async (tx) => {
          await put(tx, "k", `before ${text} after`);
          await keys(tx, text, { prefix: text });
          expect(await keys(tx, `before ${text}`)).toEqual(["k"]);
        });
      }),
      { numRuns: 300 },
    );
  },
);

forEachStore(
  "search is quick over long rows of the same characters, by words of the same kind",
  async (store) => {
    await store.write(async (tx) => {
      for (let n = 0; n < 8; n++) await put(tx, `n${n}`, "a".repeat(65_536));
      const begin = performance.now();
      expect(await keys(tx, "a".repeat(1000))).toHaveLength(8);
      // It took five seconds and more when the whole word was looked up.
      expect(performance.now() - begin).toBeLessThan(2000);
      await put(tx, "fruit", "one banana");
      expect(await keys(tx, "banana")).toEqual(["fruit"]);
    });
  },
);
