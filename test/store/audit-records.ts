import type { AuditEvent } from "../../src/store/audit.ts";
import { createAuditTrail } from "../../src/store/audit-trail.ts";
import type { Store } from "../../src/store/open.ts";
import { now } from "./records.ts";

export const auditKey = "a key for tests, which is long enough";

export const anEvent = (more: Partial<AuditEvent> = {}): AuditEvent => ({
  kind: "call",
  principal: "alice",
  sessionId: "s1",
  turnId: "t1",
  callId: "call_1",
  tool: "read_file",
  outcome: "ok",
  detail: { durationMs: 3 },
  ...more,
});

/** A trail with `count` rows of their own commits, a millisecond apart. */
export async function fillChain(store: Store, chain: string, count: number, from = now) {
  let at = from;
  const trail = createAuditTrail({ chain, now: () => at++ });
  for (let n = 0; n < count; n++)
    await store.write((tx) => trail.record(tx, anEvent({ callId: `call_${n}` })));
  return trail;
}
