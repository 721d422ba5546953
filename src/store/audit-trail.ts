import { maskedJson, maskSecrets } from "../telemetry/mask.ts";
import type { AuditEvent, AuditTrail } from "./audit.ts";
import {
  type AuditRow,
  type ChainEnd,
  endOf,
  hashOf,
  insert,
  insertBehind,
  lastBefore,
} from "./audit-rows.ts";
import { storable } from "./storable.ts";

const longestName = 256;
const longestDetail = 2000;
/** What is read of a text in the detail, and what of that is not shown, as a secret may be cut there. */
const longestText = 16_384;
const unsure = 4096;

/** As a database can hold it: what is hashed must come back the same. */
const clean = (text: string) => String(storable(text));

/** A name that a model or a client may have made up. */
function name(text: string): string {
  const masked = clean(maskSecrets(text.slice(0, 4 * longestName)));
  return masked.length <= longestName ? masked : `${masked.slice(0, longestName - 1).toWellFormed()}…`;
}

const maybeName = (text: string | undefined) => (text === undefined ? undefined : name(text));

const shorten = (value: unknown): unknown =>
  typeof value === "string" && value.length > longestText
    ? `${maskSecrets(value.slice(0, longestText)).slice(0, -unsure)}…`
    : value;

/** JSON of an object, masked; when it is too long, of its beginning as a text. */
function detailOf(detail: AuditEvent["detail"]): string {
  if (detail === undefined) return "{}";
  const short = Object.fromEntries(Object.entries(detail).map(([key, value]) => [key, shorten(value)]));
  const json = clean(maskedJson(short));
  if (json.length <= longestDetail) return json;
  // Escaped once more it may be twice as long.
  return JSON.stringify({ cut: json.slice(0, longestDetail / 2 - 20).toWellFormed() });
}

function seal(event: AuditEvent, chain: string, at: number, before: ChainEnd): AuditRow {
  const row = {
    chain,
    seq: before.seq + 1,
    at,
    kind: event.kind,
    principal: name(event.principal),
    sessionId: maybeName(event.sessionId),
    turnId: maybeName(event.turnId),
    callId: maybeName(event.callId),
    tool: maybeName(event.tool),
    outcome: name(event.outcome),
    address: maybeName(event.address),
    previous: before.hash,
    detail: detailOf(event.detail),
  };
  return { ...row, hash: hashOf(row) };
}

/** The trail of one process; `chain` is its name, `now` is handed in by tests. */
export function createAuditTrail(options: { chain?: string; now?: () => number } = {}): AuditTrail {
  const { chain = Bun.randomUUIDv7(), now = Date.now } = options;
  /** The last row that was written. The write that it was part of may have been undone since. */
  let last: ChainEnd | undefined;

  return {
    async record(tx, event) {
      const at = now();
      const remembered = last;
      // Until the row is in: when that fails, the next one asks the database.
      last = undefined;
      if (remembered !== undefined) {
        const row = seal(event, chain, at, remembered);
        if (await insertBehind(tx, row)) {
          last = row;
          return;
        }
      }
      const row = seal(event, chain, at, await endOf(tx, chain));
      await insert(tx, row);
      last = row;
    },

    async recordStart(tx, event) {
      const follows = await lastBefore(tx, chain);
      await this.record(
        tx,
        follows === undefined ? event : { ...event, detail: { follows, ...event.detail } },
      );
    },
  };
}
