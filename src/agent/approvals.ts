import { AppError, cancelled, isStopping } from "../errors.ts";
import * as rows from "../store/approvals.ts";
import type { Store } from "../store/open.ts";
import { log } from "../telemetry/log.ts";
import { count } from "../telemetry/metrics.ts";
import { mayAddress, type Principal, type Turn } from "./turn.ts";

/** One question to a person; a row, so that it outlives the process. */
export type Approval = rows.Approval;

export type Verdict = "recorded" | "unknown" | "not_yours";

export interface Approvals {
  /** Writes the question down. */
  ask(
    turn: Turn,
    call: Pick<Approval, "callId" | "toolName" | "argumentsJson" | "reason">,
  ): Promise<Approval>;
  /** The question that an earlier process asked about this call. */
  ofCall(turnId: string, callId: string): Promise<Approval | undefined>;
  /** Waits until it is decided or runs out; throws `cancelled` when the signal says so. */
  decision(approval: Approval, signal: AbortSignal): Promise<Approval>;
  /** Decides once; a second decision, or one after the time, finds it unknown. */
  decide(id: string, by: Principal, approved: boolean, note?: string): Promise<Verdict>;
  /** The open questions that this principal may decide, oldest first. */
  pending(by: Principal): Promise<readonly Approval[]>;
}

/** The topic under which decisions are told between processes; its payload is the approval. */
const decided = "decided";

const previewLength = 800;

/** At most 800 characters of the arguments, as people and clients see them. */
export const preview = (argumentsJson: string) =>
  argumentsJson.length <= previewLength ? argumentsJson : `${argumentsJson.slice(0, previewLength - 1)}…`;

/** Approvals over the store; `now` is handed in by tests. */
export function createApprovals(store: Store, options: { timeoutMs: number; now?: () => number }): Approvals {
  const now = options.now ?? Date.now;
  /** Who waits in this process, by the id of the approval. */
  const waiting = new Map<string, () => void>();
  store.listen(decided, (id) => {
    for (const look of id === "" ? waiting.values() : [waiting.get(id)]) look?.();
  });

  const read = async (id: string): Promise<Approval> => {
    const found = await store.read((tx) => rows.find(tx, id));
    if (found === undefined)
      throw new AppError("not_found", `The approval ${id} is gone: its session was deleted.`);
    return found;
  };

  return {
    async ask(turn, call) {
      const askedAt = now();
      const approval: Approval = {
        ...call,
        // The global is there already; `node:crypto` would cost 5 ms of the start.
        id: `apr_${Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex")}`,
        turnId: turn.id,
        ...(turn.sessionId !== undefined && { sessionId: turn.sessionId }),
        argumentsPreview: preview(call.argumentsJson),
        requester: turn.principal.name,
        state: "pending",
        askedAt,
        expiresAt: askedAt + options.timeoutMs,
      };
      await store.write((tx) => rows.insert(tx, approval));
      count("totalApprovals");
      return approval;
    },

    ofCall: (turnId, callId) => store.read((tx) => rows.byCall(tx, turnId, callId)),

    async decision(approval, signal) {
      let wake = Promise.withResolvers<void>();
      const look = () => wake.resolve();
      let due = false;
      const end = () => {
        due = true;
        look();
      };
      const timer = setTimeout(end, Math.max(0, approval.expiresAt - now()));
      signal.addEventListener("abort", look, { once: true });
      waiting.set(approval.id, look);
      try {
        for (;;) {
          const current = await read(approval.id);
          if (current.state !== "pending") return current;
          // A server that stops leaves the question open: the next one waits for it again.
          if (signal.aborted && isStopping(signal.reason)) throw cancelled();
          if (signal.aborted || due) {
            // Only a pending row changes: when a decision was faster, it stands.
            const state = signal.aborted ? "denied" : "expired";
            await store.write((tx) => rows.decide(tx, approval.id, state, undefined, now()));
            if (signal.aborted) throw cancelled();
            continue;
          }
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", look);
        waiting.delete(approval.id);
      }
    },

    async decide(id, by, approved, note) {
      const found = await store.read((tx) => rows.find(tx, id));
      if (found === undefined || found.state !== "pending") return "unknown";
      if (!mayAddress(by, found.requester)) return "not_yours";
      const state = approved ? "approved" : "denied";
      const recorded = await store.write(async (tx) => {
        await store.signal(tx, decided, id);
        return rows.decide(tx, id, state, note, now());
      });
      if (!recorded) return "unknown";
      log.info("approval decided", { approval: id, tool: found.toolName, state, by: by.name });
      waiting.get(id)?.();
      return "recorded";
    },

    async pending(by) {
      const requester = by.scope === "operator" ? undefined : by.name;
      const open = await store.read((tx) => rows.pending(tx, requester === undefined ? {} : { requester }));
      return open.filter((approval) => approval.expiresAt > now());
    },
  };
}
