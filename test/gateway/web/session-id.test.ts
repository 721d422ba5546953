import { expect, test } from "bun:test";
import { readSessionId, uuid } from "../../../src/gateway/web/page/session-id.ts";

const keeping = (value: string | null) => ({ getItem: () => value });

test("uuid is a random one of version 4", () => {
  const ids = Array.from({ length: 100 }, uuid);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(100);
});

test("readSessionId takes the address, then what was open last, then a new one", () => {
  expect(readSessionId("#telegram:7", keeping("chat-old"))).toBe("telegram:7");
  expect(readSessionId("", keeping("chat-old"))).toBe("chat-old");
  expect(readSessionId("#token=x y", keeping(null))).toMatch(/^chat-[0-9a-f-]{36}$/);
  expect(readSessionId(`#${"a".repeat(129)}`, keeping("a b"))).toMatch(/^chat-/);
});
