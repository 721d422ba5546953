import type { Principal } from "../agent/turn.ts";
import type { AuditEvent } from "../store/audit.ts";
import { log } from "../telemetry/log.ts";
import { clientKey } from "./proxies.ts";

/** Writes down who came in, and how often who was turned away. Nobody waits for it. */
export interface Logins {
  entered(principal: Principal, by: "cookie" | "websocket", address: string): void;
  /** A wrong token; all of one address in a minute become one row. */
  refused(address: string): void;
  /** Writes what was counted so far. */
  close(): Promise<void>;
}

const windowMs = 60_000;
/** Addresses that are told apart in a minute; those beyond share a row. */
const mostAddresses = 1000;
/** Rows of one write, for which all other writes wait. */
const rowsAtOnce = 100;

interface Count {
  readonly address: string;
  count: number;
}

/** `record` writes rows in one commit. */
export function createLogins(record: (events: readonly AuditEvent[]) => Promise<void>): Logins {
  const wrong = new Map<string, Count>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function write(events: readonly AuditEvent[]) {
    for (let at = 0; at < events.length; at += rowsAtOnce)
      await record(events.slice(at, at + rowsAtOnce)).catch((error: unknown) =>
        log.error("logins could not be written into the audit trail", { error }),
      );
  }

  async function flush() {
    clearTimeout(timer);
    timer = undefined;
    const counted = [...wrong.values()];
    wrong.clear();
    await write(
      counted.map(({ address, count }) => ({
        kind: "login",
        principal: "unknown",
        outcome: "wrong_token",
        address,
        detail: { count },
      })),
    );
  }

  return {
    entered({ name, scope }, by, address) {
      void write([{ kind: "login", principal: name, outcome: "ok", address, detail: { by, scope } }]);
    },
    refused(address) {
      const isNew = !wrong.has(clientKey(address));
      const key = isNew && wrong.size >= mostAddresses ? "others" : clientKey(address);
      const seen = wrong.get(key) ?? { address: key === "others" ? key : address, count: 0 };
      seen.count += 1;
      wrong.set(key, seen);
      // No process lives on for it.
      timer ??= setTimeout(() => void flush(), windowMs).unref();
    },
    close: flush,
  };
}
