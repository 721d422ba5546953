import type { Approval } from "../../src/store/approvals.ts";
import * as sessions from "../../src/store/sessions.ts";
import type { Tx } from "../../src/store/tx.ts";
import type { NewTurnRow } from "../../src/store/turns.ts";

/** A time that no clock shows: what a record holds must come from its caller. */
export const now = 1_000_000;

export const aSession = (tx: Tx, id = "s1", owner = "alice", at = now) =>
  sessions.open(tx, { id, owner, channel: "websocket", now: at });

export const aTurn = (id = "t1", more: Partial<NewTurnRow> = {}): NewTurnRow => ({
  id,
  sessionId: "s1",
  principal: "alice",
  scope: "chat",
  channel: "websocket",
  text: "hello",
  request: "{}",
  owner: "p1",
  createdAt: now,
  ...more,
});

export const anApproval = (id = "apr_1", more: Partial<Approval> = {}): Approval => ({
  id,
  turnId: "t1",
  sessionId: "s1",
  callId: "call_1",
  toolName: "write_file",
  argumentsJson: '{"path":"a"}',
  argumentsPreview: '{"path":"a"}',
  reason: "autonomy",
  requester: "alice",
  state: "pending",
  askedAt: now,
  expiresAt: now + 1000,
  ...more,
});
