import { AppError, cancelled, isStopping } from "../errors.ts";
import { harmless } from "../sandbox/harmless.ts";
import * as rules from "../store/approval-rules.ts";
import * as rows from "../store/approvals.ts";
import type { AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import type { Page, PageOptions } from "../store/page.ts";
import { agentLog as log } from "../telemetry/log.ts";
import { count } from "../telemetry/metrics.ts";
import { rootOf } from "./account.ts";
import { about, revoked } from "./approval-audit.ts";
import { checkScope, type Decision, ruleOf } from "./decision.ts";
import { mayAddress, type Principal, type Turn } from "./turn.ts";

/** One question to a person; a row, so that it outlives the process. */
export type Approval = rows.Approval;

export type Verdict = "recorded" | "unknown" | "not_yours";

export interface Approvals {
  /** Writes the question down. */
  ask(
    turn: Turn,
    call: Pick<Approval, "callId" | "toolName" | "argumentsJson" | "pattern" | "reason">,
  ): Promise<Approval>;
  /** What was decided before about calls like this one. */
  remembered(
    turn: Turn,
    call: { readonly name: string; readonly pattern?: string },
  ): Promise<rules.ApprovalRule | undefined>;
  /** The question that an earlier process asked about this call. */
  ofCall(turnId: string, callId: string): Promise<Approval | undefined>;
  /** Waits until it is decided or runs out; throws `cancelled` when the signal says so. */
  decision(approval: Approval, signal: AbortSignal): Promise<Approval>;
  /**
   * Decides once; a second decision, or one after the time, finds it unknown. Throws `forbidden` or `bad_request` for a
   * scope that is not this principal's or makes no sense here; the question then stays open.
   */
  decide(id: string, by: Principal, decision: Decision): Promise<Verdict>;
  /** Says, before it runs, that an approved call begins; false when it began before, perhaps in another process. */
  start(approval: Approval): Promise<boolean>;
  /** Closes a question whose call will not be run: another one stands in its place. */
  withdraw(approval: Approval): Promise<void>;
  /** Decisions that reach beyond one call, the newest first. */
  rules(page: PageOptions): Promise<Page<rules.ApprovalRule>>;
  /** Revokes one; false when there is none. */
  forget(id: string, by: Principal): Promise<boolean>;
  /** The open questions that this principal may decide, oldest first. */
  pending(by: Principal): Promise<readonly Approval[]>;
}

/** The topic under which decisions are told between processes; its payload is the approval. */
const decided = "decided";

const previewLength = 800;

/** At most 800 characters of the arguments, as people and clients see them. */
export function preview(argumentsJson: string): string {
  // What is shown may be longer than what is hidden in it: cut before, so that a huge text costs nothing, and behind.
  const shown = harmless(argumentsJson.slice(0, previewLength));
  if (shown.length <= previewLength && argumentsJson.length <= previewLength) return shown;
  return `${shown.slice(0, previewLength - 1)}…`;
}

/** The global is there already; `node:crypto` would cost 5 ms of the start. */
const newId = (kind: "apr" | "rul") =>
  `${kind}_${Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex")}`;

export interface ApprovalOptions {
  /** How long a question stays open. */
  readonly timeoutMs: number;
  /** Absent in tests that are not about the audit trail. */
  readonly audit?: Pick<AuditTrail, "record">;
  /** Handed in by tests. */
  readonly now?: () => number;
}

/** Approvals over the store. */
export function createApprovals(
  store: Store,
  { timeoutMs, audit, now = Date.now }: ApprovalOptions,
): Approvals {
  /** Who waits in this process, by the id of the approval. */
  const waiting = new Map<string, () => void>();
  store.listen(decided, (id) => {
    for (const look of id === "" ? waiting.values() : [waiting.get(id)]) look?.();
  });

  /** Closes a question that nobody decided; when a decision was faster, that one stands. */
  const close = (approval: Approval, state: "denied" | "expired", why: string) =>
    store.write(async (tx) => {
      if (!(await rows.decide(tx, approval.id, state, undefined, now()))) return;
      await audit?.record(tx, about(approval, approval.requester, why, {}));
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
      // A delegate asks in the session of the person whose turn it works for.
      const { sessionId } = rootOf(turn);
      const approval: Approval = {
        ...call,
        id: newId("apr"),
        turnId: turn.id,
        ...(sessionId !== undefined && { sessionId }),
        argumentsPreview: preview(call.argumentsJson),
        requester: turn.principal.name,
        state: "pending",
        askedAt,
        expiresAt: askedAt + timeoutMs,
      };
      await store.write(async (tx) => {
        await rows.insert(tx, approval);
        await audit?.record(tx, about(approval, approval.requester, "requested", { reason: call.reason }));
      });
      count("totalApprovals");
      return approval;
    },

    async remembered(turn, { name: toolName, pattern }) {
      if (pattern === undefined) return undefined;
      const { sessionId } = rootOf(turn);
      const call = { principal: turn.principal.name, toolName, pattern, ...(sessionId && { sessionId }) };
      return store.read((tx) => rules.match(tx, call));
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
            const state = signal.aborted ? "denied" : "expired";
            await close(approval, state, signal.aborted ? "cancelled" : "expired");
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

    async decide(id, by, decision) {
      const found = await store.read((tx) => rows.find(tx, id));
      if (found === undefined || found.state !== "pending") return "unknown";
      if (!mayAddress(by, found.requester)) return "not_yours";
      checkScope(found, by, decision);
      const state = decision.approved ? "approved" : "denied";
      const recorded = await store.write(async (tx) => {
        if (!(await rows.decide(tx, id, state, decision.note, now()))) return false;
        const rule = ruleOf(found, by, decision, { id: newId("rul"), now: now() });
        if (rule !== undefined) await rules.insert(tx, rule);
        const { scope = "once", note } = decision;
        await audit?.record(tx, about(found, by.name, state, { scope, note, rule: rule?.id }));
        await store.signal(tx, decided, id);
        return true;
      });
      if (!recorded) return "unknown";
      const { scope = "once" } = decision;
      log.info("approval decided", { approval: id, tool: found.toolName, state, scope, by: by.name });
      waiting.get(id)?.();
      return "recorded";
    },

    start: ({ id }) => store.write((tx) => rows.start(tx, id, now())),

    withdraw: (approval) => close(approval, "expired", "withdrawn"),

    rules: (page) => store.read((tx) => rules.list(tx, page)),

    async forget(id, by) {
      const gone = await store.write(async (tx) => {
        const rule = await rules.remove(tx, id);
        if (rule !== undefined) await audit?.record(tx, revoked(rule, by));
        return rule;
      });
      if (gone !== undefined)
        log.info("approval rule revoked", { rule: id, tool: gone.toolName, by: by.name });
      return gone !== undefined;
    },

    async pending(by) {
      const requester = by.scope === "operator" ? undefined : by.name;
      const of = { endsAfter: now(), ...(requester !== undefined && { requester }) };
      return store.read((tx) => rows.pending(tx, of));
    },
  };
}
