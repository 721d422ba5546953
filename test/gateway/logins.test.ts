import { expect, test } from "bun:test";
import { createLogins } from "../../src/gateway/logins.ts";
import type { AuditEvent } from "../../src/store/audit.ts";

function recording() {
  const writes: (readonly AuditEvent[])[] = [];
  const logins = createLogins(async (events) => void writes.push(events));
  return { logins, writes };
}

test("createLogins makes one row of all wrong tokens of an address, and of a whole IPv6 network", async () => {
  const { logins, writes } = recording();
  for (let n = 0; n < 500; n++) logins.refused("192.0.2.1");
  for (let n = 0; n < 5; n++) logins.refused(`2001:db8:1:2::${n}`);
  expect(writes).toEqual([]);
  await logins.close();
  expect(writes.flat()).toEqual([
    {
      kind: "login",
      principal: "unknown",
      outcome: "wrong_token",
      address: "192.0.2.1",
      detail: { count: 500 },
    },
    {
      kind: "login",
      principal: "unknown",
      outcome: "wrong_token",
      address: "2001:db8:1:2::0",
      detail: { count: 5 },
    },
  ]);
  await logins.close();
  expect(writes).toHaveLength(1);
});

test("createLogins bounds the rows that many addresses make", async () => {
  const { logins, writes } = recording();
  for (let n = 0; n < 5000; n++) logins.refused(`10.0.${n >> 8}.${n & 255}`);
  await logins.close();
  const rows = writes.flat();
  expect(rows).toHaveLength(1001);
  expect(rows.at(-1)).toMatchObject({ address: "others", detail: { count: 4000 } });
  expect(Math.max(...writes.map(({ length }) => length))).toBeLessThanOrEqual(100);
});

test("createLogins goes on when rows cannot be written", async () => {
  const logins = createLogins(async () => {
    throw new Error("The disk is full.");
  });
  logins.entered({ name: "alice", scope: "chat" }, "cookie", "::1");
  logins.refused("::1");
  await logins.close();
});
