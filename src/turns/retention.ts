import { removeUnkept } from "../store/approvals.ts";
import { hasOld, nextChain } from "../store/audit-rows.ts";
import { sweepChain } from "../store/audit-sweep.ts";
import type { Store } from "../store/open.ts";
import { removeBefore as removeResponses } from "../store/responses.ts";
import * as rows from "../store/retention.ts";
import { hasUnfinished } from "../store/turns.ts";
import { turnsLog as log } from "../telemetry/log.ts";

/** What one write deletes of each kind: a few milliseconds, which all other writes wait for. */
const rowsAtOnce = 500;
/** Each is read and hashed before it goes. */
const auditRowsAtOnce = 200;
const sessionsAtOnce = 50;
/** Between two writes, so that a sweep takes a small part of the time. */
const pauseMs = 20;
const firstSweepMs = 60_000;
const everyMs = 3_600_000;
/** How long a question of a turn that is not kept stays where sessions stay for ever. */
const unkeptMs = 86_400_000;

const add = (a: rows.Erased, b: rows.Erased): rows.Erased => ({
  messages: a.messages + b.messages,
  turns: a.turns + b.turns,
  events: a.events + b.events,
  branches: a.branches + b.branches,
});

/**
 * Deletes what is left of a session that is marked as being deleted, in small steps. What it spent stays counted. What
 * `signal` or the end of the process leaves, the next sweep takes.
 */
export async function eraseSession(store: Store, id: string, signal?: AbortSignal): Promise<rows.Erased> {
  for (let sum = rows.nothingErased; ;) {
    const step = await store.write((tx) => rows.eraseSome(tx, id, rowsAtOnce));
    sum = add(sum, step);
    if (step.over || signal?.aborted === true) return sum;
    await Bun.sleep(pauseMs);
  }
}

/** How long records are kept, in milliseconds; 0 is for ever. */
export interface RetentionRules {
  /** A session that nobody used for so long is deleted with all that belongs to it; so is a kept response. */
  readonly sessionMs: number;
  /** Events of ended turns: they are what a client that comes back is told. The messages stay. */
  readonly eventMs: number;
  /** Rows of the audit trail. */
  readonly auditMs?: number;
  /** What their sweep is signed with; asked for when there is something to sweep. */
  readonly auditKey?: () => string;
  /** Deletes what others keep, until the signal. */
  readonly others?: (signal: AbortSignal) => Promise<void>;
}

/** Deletes what has had its time, a little at once, until `signal` says stop. Returns how much. */
export async function sweep(
  store: Store,
  { sessionMs, eventMs, auditMs = 0, auditKey, others }: RetentionRules,
  { signal, now = Date.now }: { signal: AbortSignal; now?: () => number },
): Promise<{ sessions: number; events: number }> {
  let sessions = 0;
  let events = 0;

  async function mark(id: string, unusedSince: number): Promise<boolean> {
    return store.write(async (tx) => {
      if (!(await rows.beginErase(tx, id, unusedSince))) return false;
      // Asked behind the mark, which holds the session: it may have got a message meanwhile.
      if (!(await hasUnfinished(tx, id))) return true;
      await rows.spare(tx, id);
      return false;
    });
  }

  async function sweepIdle(unusedSince: number) {
    for (;;) {
      const idle = await store.read((tx) => rows.idleSessions(tx, unusedSince, sessionsAtOnce));
      for (const id of idle) {
        if (signal.aborted) return;
        if (await mark(id, unusedSince)) {
          await eraseSession(store, id, signal);
          sessions += 1;
        }
        await Bun.sleep(pauseMs);
      }
      if (idle.length < sessionsAtOnce) return;
    }
  }

  async function sweepEvents(before: number) {
    let at = await store.read((tx) => rows.nextLogged(tx, ""));
    for (let looked = 1; at !== undefined && !signal.aborted; looked++) {
      const { sessionId, createdAt } = at;
      for (let more = createdAt < before; more && !signal.aborted;) {
        const erased = await store.write((tx) => rows.eraseEvents(tx, sessionId, before, rowsAtOnce));
        events += erased;
        more = erased === rowsAtOnce;
        await Bun.sleep(pauseMs);
      }
      if (looked % sessionsAtOnce === 0) await Bun.sleep(pauseMs);
      at = await store.read((tx) => rows.nextLogged(tx, sessionId));
    }
  }

  async function sweepResponses(before: number) {
    for (let more = true; more && !signal.aborted;) {
      more = (await store.write((tx) => removeResponses(tx, before, rowsAtOnce))) > 0;
      await Bun.sleep(pauseMs);
    }
  }

  async function sweepApprovals(before: number) {
    for (let more = true; more && !signal.aborted;) {
      more = (await store.write((tx) => removeUnkept(tx, before, rowsAtOnce))) === rowsAtOnce;
      if (more) await Bun.sleep(pauseMs);
    }
  }

  async function sweepAudit(before: number, keyOf: () => string) {
    let chain = await store.read((tx) => nextChain(tx, ""));
    for (; chain !== undefined && !signal.aborted;) {
      const at = chain;
      try {
        for (let more = await store.read((tx) => hasOld(tx, at, before)); more && !signal.aborted;) {
          const step = { before, most: auditRowsAtOnce, now: now(), key: keyOf() };
          more = (await store.write((tx) => sweepChain(tx, at, step))) === auditRowsAtOnce;
          await Bun.sleep(pauseMs);
        }
      } catch (error) {
        // It stays as it is, as evidence: `openclaw audit verify` says the same.
        log.error("a part of the audit trail was not swept", { error });
      }
      chain = await store.read((tx) => nextChain(tx, at));
    }
  }

  for (const id of await store.read((tx) => rows.halfErased(tx, sessionsAtOnce))) {
    if (!signal.aborted) await eraseSession(store, id, signal);
  }
  if (sessionMs > 0) await sweepIdle(now() - sessionMs);
  if (sessionMs > 0) await sweepResponses(now() - sessionMs);
  await sweepApprovals(now() - (sessionMs || unkeptMs));
  if (eventMs > 0) await sweepEvents(now() - eventMs);
  if (auditMs > 0 && auditKey !== undefined) await sweepAudit(now() - auditMs, auditKey);
  await others?.(signal);
  return { sessions, events };
}

/** Sweeps a minute after the start and then every hour; `stop` resolves when no step of it runs. */
export function startRetention(store: Store, rules: RetentionRules): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const { signal } = stopped;
  let sweeping: Promise<void> | undefined;
  let timer = after(firstSweepMs);

  /** No process lives on for a sweep. */
  function after(ms: number) {
    const next = setTimeout(run, ms);
    next.unref();
    return next;
  }
  function run() {
    sweeping = sweep(store, rules, { signal })
      .then((swept) => {
        if (swept.sessions + swept.events > 0) log.info("what was kept long enough was deleted", swept);
      })
      .catch((error: unknown) => log.warn("what was kept long enough could not be deleted", { error }))
      .finally(() => {
        if (!signal.aborted) timer = after(everyMs);
      });
  }

  return {
    async stop() {
      stopped.abort();
      clearTimeout(timer);
      await sweeping;
    },
  };
}
