import { expect, test } from "bun:test";
import * as fc from "fast-check";
import * as notes from "../../../src/store/notes.ts";
import { fold, vectorOf } from "../../../src/store/postgres/search.ts";
import { runs } from "../../helpers/long.ts";
import { withPostgres } from "../with-postgres.ts";

const mostCharacters = 131_072;
const filled = (make: (index: number) => string) => {
  let text = "";
  for (let index = 0; text.length < mostCharacters; index++) text += make(index);
  return text.slice(0, mostCharacters);
};

test("fold drops case and accents, and leaves whole characters", () => {
  expect(fold("Crème BRÛLÉE Ünïcode")).toBe("creme brulee unicode");
  expect(fold("서울 東京")).toBe("서울 東京");
  expect(fold("a\0b\ud800c")).toBe("a b\ufffdc");
});

test("vectorOf keeps words with their places, and of writing without spaces what begins at each character", () => {
  expect(vectorOf("deploy it, deploy")).toBe(`'deploy':1,3,4,6 'it':2 'it,':5`);
  expect(vectorOf("東京タワー")).toContain(`'東京タ':1,6 '京タワ':2,7 'タワー':3,8 'ワー':4,9 'ー':5,10`);
  expect(vectorOf("it's a \\ b")).toContain(`'it''s'`);
});

/** The notes that are hardest to index: as many different words as they can hold, of the widest characters. */
const hardest: Record<string, string> = {
  "one word": "x".repeat(mostCharacters),
  "different Chinese characters": filled((index) => String.fromCharCode(0x4e00 + ((index * 7919) % 20_000))),
  "different Hangul words": filled((index) => `${String.fromCharCode(0xac00 + (index % 11_000))} `),
  "different numbers": filled((index) => `${index.toString(36)} `),
  emoji: filled((index) => `${String.fromCodePoint(0x1f300 + (index % 700))} `),
  quotes: filled((index) => `'\\${index} `),
  combining: filled(() => "e\u0301\u0302 "),
  "NUL and halves of pairs": filled((index) => `\0\ud800${index}`),
};

test("put takes any note of the longest kind, and search finds it by its beginning and by its end", async () => {
  await withPostgres(async (store) => {
    for (const [key, content] of Object.entries(hardest)) {
      await store.write((tx) => notes.put(tx, "alice", { key, content, now: 1 }));
      const found = await store.read((tx) => notes.search(tx, "alice", content.slice(0, 200), { limit: 10 }));
      expect(found.map((note) => note.key)).toContain(key);
    }
    await store.write((tx) =>
      notes.put(tx, "bob", { key: "end", content: `${hardest.quotes?.slice(0, -8)} ärmchen`, now: 1 }),
    );
    for (const text of ["Ärmchen", "mchen"])
      expect(await store.read((tx) => notes.search(tx, "bob", text, { limit: 1 }))).toHaveLength(1);
  });
});

test("search takes any text, and never throws because of it", async () => {
  await withPostgres(async (store) => {
    await store.write((tx) => notes.put(tx, "alice", { key: "k", content: "something", now: 1 }));
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 2000 }),
      fc.string({ unit: fc.constantFrom(..."'\\:*&|!()<-> \0é東%_\ud800") }),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(
          Array.isArray(
            await store.read((tx) => notes.search(tx, "alice", text, { prefix: text.slice(0, 3), limit: 5 })),
          ),
        ).toBe(true);
      }),
      { numRuns: runs(200, 5000) },
    );
  });
});

test("search finds its words by an index, however many notes others have", async () => {
  await withPostgres(async (store) => {
    await store.write(async (tx) => {
      for (let index = 0; index < 3000; index++)
        await notes.put(tx, `owner${index % 30}`, {
          key: `k${index}`,
          content: `common word${index} and more`,
          now: index,
        });
    });
    const plan = await store.write(async (tx) => {
      // The table is so small that reading all of it is a matter of taste.
      await tx`SET LOCAL enable_seqscan = off`;
      return tx`EXPLAIN SELECT * FROM notes_search WHERE words @@ CAST(${"'word77':*"} AS tsquery)`;
    });
    expect(JSON.stringify(plan)).toContain("notes_search_words");
    const found = await store.read((tx) => notes.search(tx, "owner7", "the word607 please", { limit: 5 }));
    expect(found.map(({ key }) => key)).toEqual(["k607"]);
  });
});
