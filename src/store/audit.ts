import type { Tx } from "./tx.ts";

export const auditKinds = ["call", "refusal", "approval", "grant", "login", "server", "job"] as const;
export type AuditKind = (typeof auditKinds)[number];

/** Something that happened and is kept as evidence. Its texts are masked and cut when it is written. */
export interface AuditEvent {
  readonly kind: AuditKind;
  /** Who: the name of a token, of a channel's sender, or `openclaw` for the server itself. */
  readonly principal: string;
  readonly sessionId?: string;
  readonly turnId?: string;
  readonly callId?: string;
  readonly tool?: string;
  /** One word: `requested`, `ok`, `denied`, `approved`, `expired`, `started`, … */
  readonly outcome: string;
  /** Whatever else is known; at most 2,000 characters of its JSON are kept. */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Of the client. */
  readonly address?: string;
}

/** The evidence of this process: rows that nobody changes, each with the hash of the one before. */
export interface AuditTrail {
  /** Writes a row with the commit of `tx`. Await one before the next. */
  record(tx: Tx, event: AuditEvent): Promise<void>;
  /**
   * The same for the first row of this process. It names the last row of the one that started before, so that
   * the end of that one's chain cannot be cut off unseen.
   */
  recordStart(tx: Tx, event: AuditEvent): Promise<void>;
}
