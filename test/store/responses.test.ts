import { expect } from "bun:test";
import { assistantMessage, userMessage } from "../../src/llm/message.ts";
import * as responses from "../../src/store/responses.ts";
import type { Tx } from "../../src/store/tx.ts";
import { forEachStore } from "./stores.ts";

const insert = (tx: Tx, id: string, previousId?: string, now = 1) =>
  responses.insert(tx, {
    id,
    owner: "alice",
    ...(previousId !== undefined && { previousId }),
    response: `{"id":"${id}"}`,
    messages: [userMessage(`asked ${id}`), { ...assistantMessage(`answered ${id}`), meta: "opaque" }],
    now,
  });

const saidIn = async (tx: Tx, id: string, maxBytes = 1e6) =>
  (await responses.conversation(tx, id, maxBytes)).map(({ json }) => JSON.parse(json).content);

forEachStore(
  "conversation leads from a response back to its first, and keeps what a provider wants back",
  (store) =>
    store.write(async (tx) => {
      await insert(tx, "a");
      await insert(tx, "b", "a");
      await insert(tx, "c", "a");

      expect(await saidIn(tx, "b")).toEqual(["asked a", "answered a", "asked b", "answered b"]);
      expect(await saidIn(tx, "c")).toEqual(["asked a", "answered a", "asked c", "answered c"]);
      expect(await saidIn(tx, "b", 1)).toEqual(["asked b", "answered b"]);
      expect((await responses.conversation(tx, "a", 1)).map(({ meta }) => meta)).toEqual([
        undefined,
        "opaque",
      ]);
      expect(await responses.find(tx, "b")).toEqual({ owner: "alice", response: '{"id":"b"}' });
      await expect(responses.conversation(tx, "none", 1)).rejects.toMatchObject({ code: "not_found" });
    }),
);

forEachStore(
  "remove ends what can be continued: nothing is cut out of a conversation without a word",
  (store) =>
    store.write(async (tx) => {
      await insert(tx, "a");
      await insert(tx, "b", "a");
      await insert(tx, "c", "b");

      expect(await responses.remove(tx, "a")).toBe(true);
      expect(await responses.remove(tx, "a")).toBe(false);

      await expect(responses.conversation(tx, "c", 1e6)).rejects.toThrow(
        "a, which it continues, was deleted",
      );
      expect(await responses.find(tx, "c")).toBeDefined();
    }),
);

forEachStore(
  "removeBefore takes old conversations from their end, and none that was continued since",
  (store) =>
    store.write(async (tx) => {
      await insert(tx, "a", undefined, 1);
      await insert(tx, "b", "a", 2);
      await insert(tx, "x", undefined, 1);
      await insert(tx, "y", "x", 9);

      expect(await responses.removeBefore(tx, 5, 10)).toBe(1);
      expect(await responses.find(tx, "b")).toBeUndefined();
      expect(await responses.removeBefore(tx, 5, 10)).toBe(1);
      expect(await responses.removeBefore(tx, 5, 10)).toBe(0);
      expect(await saidIn(tx, "y")).toHaveLength(4);
    }),
);
