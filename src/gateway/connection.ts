import type { ServerWebSocket } from "bun";
import { errorLine } from "../agent/plain-text.ts";
import type { Principal } from "../agent/turn.ts";
import { type AppError, cancelled } from "../errors.ts";
import { count } from "../telemetry/metrics.ts";
import { endsTurn, type NewTurn, type SessionEvent, type Unsubscribe } from "../turns/turns.ts";
import { type AnswerText, createAnswerText } from "./answer-text.ts";
import { sizeOf } from "./inbox.ts";
import { toEnvelopes, toRawText } from "./wire.ts";

/** What one WebSocket holds. Idle ones are many, so everything that is only needed while something happens is in `work`. */
export interface Connection {
  readonly id: string;
  readonly principal: Principal;
  /** Bytes that may wait for this reader. */
  readonly sendBufferBytes: number;
  envelopes: boolean;
  /** The minute (since 1970) that messages are counted in, and how many came in it. */
  minute: number;
  messages: number;
  work: Work | undefined;
}

/** While a log is being read, it is not known yet whether it tells what a turn of this connection says meanwhile. */
export interface Resuming {
  readonly sessionId: string;
  /** Characters of what is kept. */
  size: number;
  /** Undefined once the log tells them. */
  kept: SessionEvent[] | undefined;
}

export interface Follow {
  readonly stop: Unsubscribe;
  /** Nothing was told of what came before it. */
  readonly isFromNow: boolean;
}

export interface Work {
  /** Ends when everything that was said so far is accepted. */
  tail: Promise<void>;
  /** Characters of the frames that wait for their turn in `tail`. */
  waiting: number;
  /** Operations that run. */
  requests: number;
  /** The turns that were started here and run: what began each. */
  readonly turns: Map<string, Pick<NewTurn, "sessionId" | "messageId">>;
  /** The sessions that were resumed here. */
  readonly follows: Map<string, Follow>;
  /** The session that is being resumed. */
  resuming: Resuming | undefined;
  /** Texts of turns that run, for a connection that speaks plain text. */
  readonly answers: Map<string, AnswerText>;
  /** Events that wait while a message is being accepted, so that `accepted` comes before them. */
  readonly held: SessionEvent[];
  holds: number;
  /** Logs that are read for it wait here while the reader is behind. */
  room: PromiseWithResolvers<void> | undefined;
}

export type Socket = ServerWebSocket<Connection>;

const open = 1;

export const workOf = ({ data }: Socket): Work =>
  (data.work ??= {
    tail: Promise.resolve(),
    waiting: 0,
    requests: 0,
    turns: new Map(),
    follows: new Map(),
    resuming: undefined,
    answers: new Map(),
    held: [],
    holds: 0,
    room: undefined,
  });

/**
 * Sends a frame. What a slow reader has not taken yet waits in the socket's own buffer; one that lets more pile up than
 * it may is closed with 1013 and hears no more, while what it started goes on.
 */
export function send(ws: Socket, frame: string): void {
  if (ws.readyState !== open) return;
  const fits = ws.getBufferedAmount() <= ws.data.sendBufferBytes;
  // 0 means that the socket itself dropped the frame.
  if (!fits || ws.send(frame) === 0) closeSlow(ws);
}

function closeSlow(ws: Socket) {
  count("totalSlowReaders");
  ws.close(1013, "reads too slowly; try again later");
}

export const sendEnvelope = (ws: Socket, envelope: object) => send(ws, JSON.stringify(envelope));

/** Half of what may wait is for logs that are read again, the rest for what happens live. */
const isBehind = (ws: Socket) => workOf(ws).holds > 0 || ws.getBufferedAmount() > ws.data.sendBufferBytes / 2;

/** Resolves when the reader has room for more of a log that is read again; throws `cancelled` when it is gone. */
export async function findRoom(ws: Socket): Promise<void> {
  const work = workOf(ws);
  while (ws.readyState === open && isBehind(ws)) await (work.room ??= Promise.withResolvers()).promise;
  if (ws.readyState !== open) throw cancelled("The connection is closed.");
}

/** To be called when the reader has taken something, or is gone. */
export function giveRoom({ data: { work } }: Socket): void {
  work?.room?.resolve();
  if (work !== undefined) work.room = undefined;
}

function deliver(ws: Socket, event: SessionEvent): void {
  const { answers } = workOf(ws);
  const { turnId } = event;
  if (ws.data.envelopes) {
    for (const envelope of toEnvelopes(event)) send(ws, envelope);
  } else {
    const answer = answers.get(turnId) ?? createAnswerText();
    answers.set(turnId, answer);
    answer.add(event.event);
    const text = toRawText(event, answer.text);
    if (text !== undefined) send(ws, text);
  }
  if (endsTurn(event.event)) answers.delete(turnId);
}

/** Tells an event in the manner of the connection. */
export function tell(ws: Socket, event: SessionEvent): void {
  if (ws.readyState !== open) return;
  const work = workOf(ws);
  if (work.holds > 0) work.held.push(event);
  else deliver(ws, event);
}

/** Keeps an event of the session that is being resumed; no more than may wait for a reader. */
export function keep(ws: Socket, resuming: Resuming, event: SessionEvent): void {
  if (resuming.kept === undefined) return;
  resuming.size += sizeOf(event);
  if (resuming.size > ws.data.sendBufferBytes) closeSlow(ws);
  else resuming.kept.push(event);
}

/** From here on the log tells everything. Of what was kept, tells what the log has not told. */
export function settle(ws: Socket, resuming: Resuming, isMissing: (event: SessionEvent) => boolean): void {
  const { kept = [] } = resuming;
  resuming.kept = undefined;
  for (const event of kept) if (isMissing(event)) tell(ws, event);
}

/** Keeps events back until `release` has been called as often. */
export function hold(ws: Socket): void {
  workOf(ws).holds++;
}

export function release(ws: Socket): void {
  const work = workOf(ws);
  if (--work.holds > 0) return;
  for (const event of work.held.splice(0)) deliver(ws, event);
  giveRoom(ws);
}

/** Tells what could not be done; `messageId` is the message that it was about. */
export function tellError(ws: Socket, { code, message, retryAfterMs }: AppError, messageId?: string): void {
  if (!ws.data.envelopes) return send(ws, errorLine(code, message));
  sendEnvelope(ws, { type: "error", text: message, code, retryAfterMs, inReplyToMessageId: messageId });
}

/** Tells something that is no part of a turn. */
export const tellText = (ws: Socket, text: string, messageId?: string) =>
  ws.data.envelopes
    ? sendEnvelope(ws, { type: "assistant_message", text, inReplyToMessageId: messageId })
    : send(ws, text);
