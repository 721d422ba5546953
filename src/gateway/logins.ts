import type { Principal } from "../agent/turn.ts";
import type { AuditEvent } from "../store/audit.ts";
import { gatewayLog as log } from "../telemetry/log.ts";
import { clientKey } from "./proxies.ts";

type Refused = "wrong_token" | "wrong_proof";

/** Writes down who came in, and how often who was turned away. Nobody waits for it. */
export interface Logins {
  entered(principal: Principal, by: "cookie" | "websocket", address: string): void;
  /** A wrong token, or a webhook without its proof; all of one address in a minute become one row. */
  refused(address: string, outcome?: Refused): void;
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
  readonly outcome: Refused;
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
      counted.map(({ address, outcome, count }) => ({
        kind: "login",
        principal: "unknown",
        outcome,
        address,
        detail: { count },
      })),
    );
  }

  return {
    entered({ name, scope }, by, address) {
      void write([{ kind: "login", principal: name, outcome: "ok", address, detail: { by, scope } }]);
    },
    refused(address, outcome = "wrong_token") {
      const name = `${clientKey(address)} ${outcome}`;
      const isCounted = wrong.has(name) || wrong.size < mostAddresses;
      const key = isCounted ? name : `others ${outcome}`;
      const seen = wrong.get(key) ?? { address: isCounted ? address : "others", outcome, count: 0 };
      seen.count += 1;
      wrong.set(key, seen);
      // No process lives on for it.
      timer ??= setTimeout(() => void flush(), windowMs).unref();
    },
    close: flush,
  };
}
