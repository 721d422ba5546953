import { about } from "../agent/approval-audit.ts";
import { isLeaseLost, refusals, takeBackTurn } from "../agent/begin-turn.ts";
import { cutOff, ended, requested } from "../agent/call-audit.ts";
import type { RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import type { TurnEnds } from "../agent/turn-ends.ts";
import { AppError, cancelled, isStopping, publicError } from "../errors.ts";
import { addUsage, assistantMessage, noUsage } from "../llm/message.ts";
import * as approvals from "../store/approvals.ts";
import type { AuditEvent, AuditTrail } from "../store/audit.ts";
import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import * as turns from "../store/turns.ts";
import { spentByTurn } from "../store/usage.ts";
import { turnsLog as log } from "../telemetry/log.ts";
import { traceField } from "../telemetry/span.ts";
import { isLight } from "./cursor.ts";
import { approvalPrompt, errorLine } from "../agent/plain-text.ts";
import type { Deliver, Said } from "./deliver.ts";
import type { TurnLog } from "./events.ts";
import type { LoggedEvent } from "./turns.ts";

export interface RunnerParts {
  readonly run: RunTurn;
  readonly ends: TurnEnds;
  readonly now: () => number;
  /** Absent in tests that are not about it. */
  readonly audit?: AuditTrail | undefined;
  readonly deliver?: Deliver | undefined;
  /** True when no more is to be tried. */
  readonly isStopping: () => boolean;
}

type ModelMessage = Extract<TurnEvent, { type: "message" }>;

/** How long after a fault of the store the end of a turn is tried again. */
const storeAgainMs = 1000;

const restarted: LoggedEvent = {
  type: "status",
  code: "restarted",
  text: "the server was restarted; the turn goes on",
};

/**
 * Pulls one turn of a kept session to its end, whoever listens. Each step is stored before the next one is asked
 * for: the model's message before its tools run, a result before the model is asked again.
 */
export async function runTurn(
  turn: Turn,
  sessionId: string,
  turnLog: TurnLog,
  parts: RunnerParts,
): Promise<void> {
  const { run, ends, now } = parts;
  /** What lines of the log name it by. */
  const ids = { turn: turn.id, session: sessionId, ...traceField(turn.request.trace) };
  /** An answer without calls: stored together with the end of the turn, which comes next. */
  let answer: ModelMessage | undefined;
  /** What the model has said so far in this step. */
  let said = "";
  let began = false;
  let stepped = turn.resumed;
  let waits = false;
  /** What the model calls of this turn took so far, as far as this process heard them. */
  let usage = noUsage;
  /** Calls without a result, by id: their tools. */
  const open = new Map<string, string>();

  const record = async (tx: Tx, events: readonly AuditEvent[]) => {
    for (const event of events) await parts.audit?.record(tx, event);
  };
  const append = async (tx: Tx, message: ModelMessage["message"] | undefined) => {
    if (message !== undefined) await sessions.append(tx, sessionId, turn.id, message, now());
  };
  const setState = async (tx: Tx, id: string, state: "waiting_approval" | "interrupted") => {
    await turns.setState(tx, id, state);
  };
  const finish = async (tx: Tx, end: Pick<turns.TurnEnd, "state" | "errorCode" | "errorMessage">) => {
    // With what its delegates took, and an earlier process for it. What the ledger could not write yet was heard here.
    const spent = await spentByTurn(tx, turn.id);
    const inputTokens = Math.max(spent.inputTokens, usage.inputTokens);
    const outputTokens = Math.max(spent.outputTokens, usage.outputTokens);
    await turns.finish(tx, turn.id, { ...end, usage: { inputTokens, outputTokens }, now: now() });
    await ends.announce(tx, sessionId);
  };
  /** Writes down, with the commit of `tx`, what is to be sent where the turn has to deliver. */
  const say = async (tx: Tx, said: Pick<Said, "kind" | "text" | "approvalId">) => {
    const { delivery } = turn;
    if (delivery !== undefined) await parts.deliver?.write(tx, { ...said, delivery, turnId: turn.id });
  };
  const workOn = async (tx: Tx) => {
    if (waits) await turns.setState(tx, turn.id, "running");
    waits = false;
  };

  async function take(event: TurnEvent): Promise<void> {
    if (event.type === "message") {
      stepped = true;
      said = "";
      usage = addUsage(usage, event.usage);
      if (event.message.calls.length === 0) answer = event;
      else
        await turnLog.commit(undefined, async (tx) => {
          await append(tx, event.message);
          await record(tx, requested(turn, event.message.calls));
        });
      return;
    }
    if (event.type === "tool_result") {
      const { message, lent: _lent, grant: _grant, ...told } = event;
      open.delete(event.callId);
      await turnLog.commit(told, async (tx) => {
        await workOn(tx);
        await sessions.append(tx, sessionId, turn.id, message, now());
        await record(tx, [ended(turn, event)]);
      });
      return;
    }
    if (event.type === "approval") {
      await turnLog.commit(event, async (tx) => {
        await setState(tx, turn.id, "waiting_approval");
        await say(tx, { kind: "approval", text: approvalPrompt(event), approvalId: event.approvalId });
      });
      parts.deliver?.committed();
      waits = true;
      return;
    }
    if (event.type === "done" || event.type === "notice") {
      await turnLog.commit(event, async (tx) => {
        await append(tx, answer?.message);
        await finish(tx, { state: "done" });
        const text = event.type === "notice" ? event.text : (answer?.message.text ?? "");
        await say(tx, { kind: "answer", text });
      });
      parts.deliver?.committed();
      return;
    }
    if (event.type === "tool_start") open.set(event.callId, event.toolName);
    if (event.type === "text") said += event.text;
    if (isLight(event)) turnLog.tell(event);
    else await turnLog.commit(event, async () => {});
  }

  async function fail(thrown: unknown): Promise<void> {
    if (isLeaseLost(thrown)) throw thrown;
    // What ended the turn counts, not the error that this made somewhere below.
    const error = publicError(turn.signal.aborted ? (turn.signal.reason ?? cancelled()) : thrown);
    if (error.code === "internal") log.error("a turn failed", { ...ids, error: thrown });
    if (isStopping(error)) {
      await turnLog.commit(undefined, (tx) => setState(tx, turn.id, "interrupted"));
      return;
    }
    const { code, message, retryAfterMs } = error;
    const event: LoggedEvent = {
      type: "failed",
      code,
      message,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
    const end = () =>
      turnLog.commit(event, async (tx) => {
        // A person who stops an answer has read its beginning: it stays in the conversation.
        const beginning = code === "cancelled" && said !== "" ? assistantMessage(said) : undefined;
        await append(tx, answer?.message ?? beginning);
        const state = code === "cancelled" ? "cancelled" : "failed";
        await record(tx, cutOff(turn, open, code));
        // Who asked could not close them where the store was away.
        const denied = await approvals.denyOpen(tx, turn.id, now());
        await record(
          tx,
          denied.map((each) => about(each, each.requester, "cancelled", {})),
        );
        await finish(tx, { state, errorCode: code, errorMessage: message });
        if (!stepped && refusals.includes(code)) await takeBackTurn(tx, turn.id, now());
        await say(tx, { kind: "failed", text: code === "cancelled" ? message : errorLine(code, message) });
      });
    for (let told = false; ; told = true) {
      try {
        await end();
        parts.deliver?.committed();
        return;
      } catch (fault) {
        if (isLeaseLost(fault) || parts.isStopping()) throw fault;
        log.error("the end of a turn cannot be stored yet", { ...ids, error: fault });
        // Who waits is told at once; the store is told as soon as it listens again.
        if (!told) turnLog.tellUnstored(event);
        await Bun.sleep(storeAgainMs);
      }
    }
  }

  try {
    for await (const event of run(turn)) {
      if (!began && !(event.type === "status" && event.code === "queued")) {
        began = true;
        // Not before it stands in its session's line: the next turn would pass it meanwhile.
        if (turn.resumed) await turnLog.commit(restarted, async () => {});
        else turnLog.tell({ type: "started" });
      }
      if (turn.signal.aborted) throw turn.signal.reason;
      await take(event);
    }
  } catch (thrown) {
    await fail(thrown).catch((error: unknown) => {
      if (!isLeaseLost(error)) throw error;
      log.warn("a turn was taken over by another process, or its end was stored and not told", ids);
      parts.deliver?.committed();
    });
  }
}

export const notFound = (sessionId: string) => new AppError("not_found", `There is no session ${sessionId}.`);
