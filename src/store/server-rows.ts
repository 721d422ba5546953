import { storeLog as log } from "../telemetry/log.ts";
import type { AuditEvent, AuditTrail } from "./audit.ts";
import type { Store } from "./open.ts";

export interface ServerFacts {
  readonly version: string;
  readonly autonomy: string;
  readonly tools: readonly string[];
  /** The settings of the sandbox: those that grant something are kept. */
  readonly grants: object;
}

const isGrant = /^allow|Roots$|^(?:workspace|sandbox|shellCommands)$/;
const isOn = (value: unknown) =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);

const server = (outcome: string, detail: Readonly<Record<string, unknown>>): AuditEvent => ({
  kind: "server",
  principal: "openclaw",
  outcome,
  detail,
});

/** Writes the first row of a process, without keeping the start waiting. */
export function recordStarted(store: Store, audit: AuditTrail, { grants, ...facts }: ServerFacts): void {
  const granted = Object.fromEntries(
    Object.entries(grants).filter(([name, value]) => isGrant.test(name) && isOn(value)),
  );
  const event = server("started", { ...facts, granted });
  store
    .write((tx) => audit.recordStart(tx, event))
    .catch((error) => log.error("the start could not be written into the audit trail", { error }));
}

/** Writes the last row of a process; a store that is gone does not hold up the stop. */
export async function recordStopped(store: Store, audit: AuditTrail): Promise<void> {
  await store
    .write((tx) => audit.record(tx, server("stopped", {})))
    .catch((error) => log.error("the stop could not be written into the audit trail", { error }));
}
