import { beginTurn } from "../agent/begin-turn.ts";
import { type Command, findCommand, takesCommands } from "../agent/commands.ts";
import { mayAddress, type RunTurn, type Turn } from "../agent/turn.ts";
import { busy, cancelled, stopping } from "../errors.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import * as rows from "../store/turns.ts";
import { log } from "../telemetry/log.ts";
import { createSessionLogs } from "./events.ts";
import { notFound, runTurn } from "./runner.ts";
import { ownMessages, storeInput, storeRequest, turnFromRow } from "./turn-row.ts";
import { endsTurn, type Listener, type NewTurn, type Turns, type Unsubscribe } from "./turns.ts";

export interface TurnsParts {
  readonly store: Store;
  readonly run: RunTurn;
  readonly commands: readonly Command[];
  /** Turns that may be in this process, running or waiting. */
  readonly maxTurns: number;
  /** Turns of one session that may wait behind another. */
  readonly maxWaitingPerSession: number;
  readonly now?: () => number;
}

interface Running {
  readonly sessionId: string;
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

/** The turns of kept sessions: accepted, run to their end by this process, and told to who listens. */
export function createTurns(parts: TurnsParts): Turns {
  const { store, run } = parts;
  const now = parts.now ?? Date.now;
  const logs = createSessionLogs(store, now);
  const running = new Map<string, Running>();
  /** How many turns of a session are here, in order of arrival. */
  const bySession = new Map<string, Set<string>>();
  let draining = false;
  /** Turns of an earlier process come first. */
  let recovered: Promise<void> = Promise.resolve();

  const isCommand = (turn: NewTurn) =>
    takesCommands(turn.channel) && findCommand(parts.commands, turn.text) !== undefined;

  function start(
    turn: Turn,
    of: { sessionId: string; messageId?: string; row: number; listener?: Listener },
    controller: AbortController,
  ) {
    const { sessionId, messageId, row, listener } = of;
    const name = { sessionId, turnId: turn.id, ...(messageId !== undefined && { messageId }) };
    const turnLog = logs.open(name, row, listener);
    const line = bySession.get(sessionId) ?? new Set();
    bySession.set(sessionId, line.add(turn.id));
    // Behind the caller's continuation, so that it can say `accepted` before anything of the turn is told.
    const ended = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => runTurn(turn, sessionId, turnLog, { store, run, now }))
      .catch((error) => log.error("a turn could not be ended", { turn: turn.id, session: sessionId, error }))
      .finally(() => {
        turnLog.close();
        running.delete(turn.id);
        line.delete(turn.id);
        if (line.size === 0 && bySession.get(sessionId) === line) bySession.delete(sessionId);
      });
    running.set(turn.id, { sessionId, controller, ended });
  }

  /** Writes the message and its turn; answers with the turn of an earlier message of the same id instead. */
  async function writeDown(tx: Tx, turn: NewTurn, turnId: string, command: boolean) {
    const { sessionId, principal, channel, messageId } = turn;
    const session = await sessions.open(tx, { id: sessionId, owner: principal.name, channel, now: now() });
    if (!mayAddress(principal, session.owner)) throw notFound(sessionId);
    const seen = messageId === undefined ? undefined : await rows.findByMessage(tx, sessionId, messageId);
    if (seen !== undefined) return { seen, row: session.lastEvent, begun: false };
    const begun = !command && !(await rows.hasUnfinished(tx, sessionId));
    const input = storeInput(turn);
    await rows.insert(tx, {
      id: turnId,
      sessionId,
      principal: principal.name,
      scope: principal.scope,
      channel,
      text: turn.text,
      request: storeRequest(turn.request),
      createdAt: now(),
      ...(input !== undefined && { input }),
      ...(messageId !== undefined && { messageId }),
    });
    // With nothing before it the turn begins in the same commit.
    if (begun) await beginTurn(tx, { turnId, sessionId, messages: ownMessages(turn), now: now() });
    return { seen: undefined, row: session.lastEvent, begun };
  }

  /** Tells the events of a turn again, and what still comes of it. */
  async function repeat(row: rows.TurnRow, listener: Listener) {
    let unsubscribe: Unsubscribe | undefined;
    let over = !running.has(row.id);
    const end = () => {
      over = true;
      unsubscribe?.();
    };
    unsubscribe = await logs.follow(row.sessionId, `${row.firstEvent}`, (event) => {
      if (over && unsubscribe !== undefined) return;
      if (event.turnId !== row.id) return;
      listener(event);
      if (endsTurn(event.event)) end();
    });
    if (over) unsubscribe();
  }

  /** Starts what an earlier process left, in order of arrival. */
  async function goOn() {
    const left = await store.read((tx) => rows.unfinished(tx));
    for (const row of left) {
      const controller = new AbortController();
      const session = await store.read((tx) => sessions.find(tx, row.sessionId));
      const turn = turnFromRow(row, controller.signal);
      const { sessionId, messageId } = row;
      start(turn, { sessionId, row: session?.lastEvent ?? 0, ...(messageId && { messageId }) }, controller);
    }
    if (left.length > 0) log.info("going on with the turns of an earlier process", { turns: left.length });
  }

  return {
    async accept(newTurn, listener) {
      if (draining) throw stopping();
      await recovered;
      const { sessionId, messageId } = newTurn;
      const command = isCommand(newTurn);
      const waiting = bySession.get(sessionId)?.size ?? 0;
      if (!command && (running.size >= parts.maxTurns || waiting > parts.maxWaitingPerSession)) throw busy();
      const turnId = Bun.randomUUIDv7();
      const stored = await store.write((tx) => writeDown(tx, newTurn, turnId, command));
      if (stored.seen !== undefined) {
        if (listener !== undefined) await repeat(stored.seen, listener);
        const cursor = `${stored.seen.firstEvent}`;
        return { turnId: stored.seen.id, sessionId, cursor, repeated: true };
      }
      const controller = new AbortController();
      const turn: Turn = {
        id: turnId,
        sessionId,
        principal: newTurn.principal,
        channel: newTurn.channel,
        text: newTurn.text,
        entries: stored.begun || command ? [] : ownMessages(newTurn),
        request: newTurn.request,
        resumed: false,
        signal: controller.signal,
        outsideSlot: (wait) => wait(),
      };
      const accepted = { turnId, sessionId, cursor: `${stored.row}`, repeated: false };
      const name = {
        sessionId,
        row: stored.row,
        ...(messageId && { messageId }),
        ...(listener && { listener }),
      };
      start(turn, name, controller);
      return accepted;
    },

    async cancel(turnId) {
      const found = running.get(turnId);
      if (found === undefined) return false;
      found.controller.abort(cancelled());
      await found.ended;
      return true;
    },

    current: (sessionId) => bySession.get(sessionId)?.values().next().value,

    follow: logs.follow,

    recover() {
      recovered = goOn();
      return recovered;
    },

    async drain(ms) {
      draining = true;
      const all = [...running.values()];
      const ended = Promise.all(all.map((turn) => turn.ended));
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      await Promise.race([ended, late]);
      clearTimeout(timer);
      for (const turn of running.values()) turn.controller.abort(stopping());
      await ended;
    },

    load: () => {
      const sessionsHere = bySession.size;
      return { running: sessionsHere, waiting: running.size - sessionsHere };
    },
  };
}
