import { expect, test } from "bun:test";
import * as outbox from "../../src/store/outbox.ts";
import { withPostgres, withStoreAt } from "../store/with-postgres.ts";
import { aHouse, says } from "./a-house.ts";
import { startProvider } from "./a-provider.ts";

/** Each process has its own, and leases run by it. */
const machineClock = {
  get now() {
    return Date.now();
  },
};

test("two processes on one PostgreSQL send each piece once and in order, whoever took the message", async () => {
  await withPostgres((left, url) =>
    withStoreAt(url, async (right) => {
      await using provider = startProvider(({ piece }, count) =>
        count % 7 === 0 && piece.kind === "text" ? { status: 429, retryAfterMs: 1 } : "ok",
      );
      await using one = await aHouse({ store: left, provider, shared: true, clock: machineClock });
      await using two = await aHouse({ store: right, provider, shared: true, clock: machineClock });
      for (const { outbox: sender, turns } of [one, two]) {
        await turns.recover();
        await sender.start();
      }

      for (let n = 0; n < 12; n++) {
        const house = n % 2 === 0 ? one : two;
        const who = n % 3;
        const message = says(`${n}|${n}'`, { recipient: `r${who}`, sessionId: `post:${who}` });
        await house.take(message);
        // Repeated by the provider, to the other process.
        expect(await (house === one ? two : one).take(message)).toEqual({ kind: "repeated" });
      }
      await provider.took(24);

      for (let who = 0; who < 3; who++) {
        const texts = provider.arrived
          .filter(({ recipient }) => recipient === `r${who}`)
          .map(({ piece }) => piece.text);
        expect(texts).toEqual(
          [0, 1, 2, 3].flatMap((at) => {
            const n = at * 3 + who;
            return [`You said: ${n}`, `${n}'`];
          }),
        );
      }
      expect(new Set(provider.arrived.map(({ key }) => key)).size).toBe(24);
      for (;;) if ((await left.read(outbox.depth)).waiting === 0) break;
    }),
  );
});
