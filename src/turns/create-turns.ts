import { beginTurn, checkLease, isLeaseLost, isTakenBack } from "../agent/begin-turn.ts";
import { type Command, findCommand, takesCommands } from "../agent/commands.ts";
import { mayAddress, type RunTurn, type Turn } from "../agent/turn.ts";
import type { TurnEnds } from "../agent/turn-ends.ts";
import { busy, cancelled, sessionBusy, stopping } from "../errors.ts";
import type { AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import * as leases from "../store/turn-leases.ts";
import * as rows from "../store/turns.ts";
import { turnsLog as log } from "../telemetry/log.ts";
import type { Deliver } from "./deliver.ts";
import { createSessionLogs, type Place } from "./events.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { repeat } from "./repeat.ts";
import { notFound, runTurn } from "./runner.ts";
import { findStored, takeOver as takeOverTurns } from "./take-over.ts";
import { checkSame, storeInput, storeRequest, ownMessages, turnFromRow } from "./turn-row.ts";
import type { Listener, NewTurn, Turns } from "./turns.ts";

export interface TurnsParts {
  readonly store: Store;
  readonly run: RunTurn;
  readonly ends: TurnEnds;
  readonly commands: readonly Command[];
  /** Turns that may be in this process, running or waiting. */
  readonly maxTurns: number;
  /** True while there is no room for another turn beside those that were accepted; absent: there always is. */
  readonly isFull?: () => boolean;
  /** Turns of one session that may wait behind another. */
  readonly maxWaitingPerSession: number;
  /** How long a process may be silent before the others take its turns over; absent when no other shares the store. */
  readonly leaseMs?: number;
  /** Absent in tests that are not about it. */
  readonly audit?: AuditTrail;
  /** Writes down what is to be sent; absent where nothing is. */
  readonly deliver?: Deliver;
  readonly now?: () => number;
}

interface Running {
  readonly sessionId: string;
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

const recoverAgainMs = 1000;

/** The topic under which a wish to end a turn is told between processes; its payload is the turn. */
const cancelTopic = "cancel";

/** The turns of kept sessions: accepted, run to their end by one process, and told to who listens in any. */
export function createTurns(parts: TurnsParts): Turns {
  const { store, run, ends } = parts;
  const now = parts.now ?? Date.now;
  const owner = Bun.randomUUIDv7();
  const logs = createSessionLogs(store, now);
  const heartbeat = parts.leaseMs === undefined ? undefined : createHeartbeat(store, owner, parts.leaseMs);
  const running = new Map<string, Running>();
  /** Turns whose commit is under way. */
  const accepting = new Set<string>();
  const isHere = (turnId: string) => running.has(turnId) || accepting.has(turnId);
  /** How many turns of a session are here, in order of arrival. */
  const bySession = new Map<string, Set<string>>();
  let draining = false;
  /** Nothing runs on: what is here goes on when a server starts again. */
  let stopped = false;
  /** Turns of an earlier process come first. */
  let recovered: Promise<void> = Promise.resolve();

  const commandOf = ({ channel, text }: Pick<NewTurn, "channel" | "text">) =>
    takesCommands(channel) ? findCommand(parts.commands, text)?.command : undefined;

  store.listen(cancelTopic, (turnId) => {
    if (turnId !== "") return running.get(turnId)?.controller.abort(cancelled());
    cancelAsked().catch((error) => log.warn("whether a turn is to end could not be read", { error }));
  });

  async function cancelAsked() {
    for (const id of await store.read((tx) => leases.cancelAsked(tx, owner)))
      running.get(id)?.controller.abort(cancelled());
  }

  /** Runs the turn of a row that this process owns; `begun`: its messages are in the tree. */
  function start(row: rows.TurnRow, of: { begun: boolean; session: Place; listener?: Listener }) {
    const { sessionId, messageId, fence, seq } = row;
    const lease = { owner, fence };
    const controller = new AbortController();
    const check = async (tx: Tx) => {
      try {
        await checkLease(tx, row.id, lease);
      } catch (error) {
        // Not cancelled: the process that has it now goes on with its calls, its questions and its delegates.
        if (isLeaseLost(error)) controller.abort(stopping());
        throw error;
      }
    };
    const turn: Turn = {
      ...turnFromRow(row, controller.signal),
      // A command is for us: it does not become part of the conversation.
      ...(commandOf(row) && { entries: [] }),
      lease: { ...lease, seq, begun: of.begun, check: () => store.write(check) },
    };
    const name = { sessionId, turnId: row.id, ...(messageId !== undefined && { messageId }) };
    const turnLog = logs.open(name, check, of.session, of.listener);
    const line = bySession.get(sessionId) ?? new Set();
    bySession.set(sessionId, line.add(row.id));
    const isStopping = () => draining;
    // Behind the caller's continuation, so that it can say `accepted` before anything of the turn is told.
    const ended = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => runTurn(turn, sessionId, turnLog, { ...parts, now, isStopping }))
      .catch((error) => log.error("a turn could not be ended", { turn: row.id, session: sessionId, error }))
      .finally(() => {
        turnLog.close();
        // It may have been taken over, and have come back meanwhile.
        if (running.get(row.id)?.controller === controller) {
          running.delete(row.id);
          line.delete(row.id);
        }
        if (line.size === 0 && bySession.get(sessionId) === line) bySession.delete(sessionId);
        ends.tell(sessionId);
      });
    running.set(row.id, { sessionId, controller, ended });
    if (row.cancelAsked) controller.abort(cancelled());
    if (stopped) controller.abort(stopping());
  }

  /** Writes the message and its turn; answers with the turn of an earlier message of the same id instead, where that was not refused. */
  async function writeDown(tx: Tx, turn: NewTurn, turnId: string, command: boolean) {
    const { sessionId, principal, channel, messageId, delivery } = turn;
    const session = await sessions.open(tx, { id: sessionId, owner: principal.name, channel, now: now() });
    if (!mayAddress(principal, session.owner)) throw notFound(sessionId);
    const seen = messageId === undefined ? undefined : await rows.findByMessage(tx, sessionId, messageId);
    if (seen !== undefined && !isTakenBack(seen)) {
      if (turn.refuseOther) checkSame(seen, turn);
      return { seen };
    }
    if (seen !== undefined) await rows.forgetMessage(tx, seen.id);
    const input = storeInput(turn);
    const row = await rows.insert(tx, {
      id: turnId,
      sessionId,
      principal: principal.name,
      scope: principal.scope,
      channel,
      text: turn.text,
      request: storeRequest(turn.request),
      owner,
      createdAt: now(),
      ...(input !== undefined && { input }),
      ...(messageId !== undefined && { messageId }),
      ...(delivery !== undefined && { delivery: JSON.stringify(delivery) }),
    });
    // With nothing before it the turn begins in the same commit. Asked behind the insert, which holds the session.
    const begun = !command && !(await rows.hasEarlier(tx, sessionId, row.seq));
    if (begun) await beginTurn(tx, { turnId, sessionId, messages: ownMessages(turn), now: now() });
    return { row, begun, session: { ...session, lastEvent: row.firstEvent } };
  }

  const resume = (row: rows.TurnRow, session: Place) =>
    start(row, { begun: row.startedAt !== undefined, session });

  /** Who drains leaves what nobody runs to the next process. */
  const takeOver = async (living: ReadonlySet<string>) =>
    draining ? undefined : takeOverTurns(living, { store, owner, isHere, start: resume });

  /** Alone with its store, whatever an earlier process left is this one's. Until that is known messages are refused. */
  async function recoverAlone(after: Promise<unknown>) {
    while (!draining) {
      recovered = after.then(() => takeOver(new Set()));
      try {
        return await recovered;
      } catch (error) {
        log.warn("the turns of an earlier process cannot be gone on with yet", { error });
      }
      await Bun.sleep(recoverAgainMs);
    }
  }

  return {
    async accept(newTurn, listener, also) {
      // A delegate is part of a turn that runs.
      if (draining && newTurn.request.cause?.kind !== "delegate") throw stopping();
      await recovered;
      const { sessionId } = newTurn;
      const command = commandOf(newTurn);
      // One that waits its turn in the session is bounded like a message.
      const atOnce = command?.when === "now";
      const waiting = bySession.get(sessionId)?.size ?? 0;
      // A delegate is part of a turn that runs, and what it works for must end.
      if (!atOnce && newTurn.request.cause?.kind !== "delegate" && parts.isFull?.() === true) throw busy();
      if (!atOnce && running.size >= parts.maxTurns) throw busy();
      if (!atOnce && waiting > parts.maxWaitingPerSession) throw sessionBusy();
      const turnId = Bun.randomUUIDv7();
      const write = async (tx: Tx) => {
        const written = await writeDown(tx, newTurn, turnId, command !== undefined);
        if (written.seen === undefined) await also?.(tx);
        return written;
      };
      accepting.add(turnId);
      try {
        const stored = await store.write(write).catch((fault) => findStored(store, turnId, fault));
        if (stored.seen !== undefined) {
          const { id, firstEvent, endedAt } = stored.seen;
          const told = listener && repeat(stored.seen, listener, { store, logs });
          if (listener?.room === undefined) await told;
          const again = { repeated: true, ended: endedAt !== undefined, ...(told && { told }) };
          return { turnId: id, sessionId, cursor: `${firstEvent}`, ...again };
        }
        const { row, begun, session } = stored;
        start(row, { begun, session, ...(listener && { listener }) });
        return { turnId, sessionId, cursor: `${row.firstEvent}`, repeated: false, ended: false };
      } finally {
        accepting.delete(turnId);
      }
    },

    async cancel(turnId) {
      const found = running.get(turnId);
      if (found !== undefined) {
        found.controller.abort(cancelled());
        await found.ended;
        return true;
      }
      return store.write(async (tx) => {
        await store.signal(tx, cancelTopic, turnId);
        return leases.askCancel(tx, turnId);
      });
    },

    current: async (sessionId) =>
      // Where others share the store the one that runs may be in another process.
      (heartbeat === undefined ? bySession.get(sessionId)?.values().next().value : undefined) ??
      store.read((tx) => rows.firstUnfinished(tx, sessionId)),

    follow: logs.follow,

    recover(after = Promise.resolve()) {
      if (heartbeat === undefined) return recoverAlone(after);
      recovered = after.then(() => heartbeat.start(takeOver));
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
      stopped = true;
      for (const turn of running.values()) turn.controller.abort(stopping());
      await ended;
      // Delegates that began meanwhile.
      await Promise.all([...running.values()].map((turn) => turn.ended));
      await heartbeat?.stop();
    },

    load: () => {
      const sessionsHere = bySession.size;
      return { running: sessionsHere, waiting: running.size - sessionsHere };
    },
  };
}
