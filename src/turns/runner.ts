import { takeBackTurn } from "../agent/begin-turn.ts";
import type { RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import { AppError, cancelled, isStopping, publicError } from "../errors.ts";
import { assistantMessage, noUsage } from "../llm/message.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import * as turns from "../store/turns.ts";
import { log } from "../telemetry/log.ts";
import { isLight } from "./cursor.ts";
import type { TurnLog } from "./events.ts";
import type { LoggedEvent } from "./turns.ts";

export interface RunnerParts {
  readonly store: Store;
  readonly run: RunTurn;
  readonly now: () => number;
}

type ModelMessage = Extract<TurnEvent, { type: "message" }>;

/** Refusals that come before the model was asked: the conversation then is as if the turn had not been. */
const refusals = ["rate_limited", "budget_exceeded", "busy"];

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
  const { store, run, now } = parts;
  /** An answer without calls: stored together with the end of the turn, which comes next. */
  let answer: ModelMessage | undefined;
  /** What the model has said so far in this step. */
  let said = "";
  let began = turn.resumed;
  let stepped = turn.resumed;
  let waits = false;

  const append = async (tx: Tx, message: ModelMessage["message"] | undefined) => {
    if (message !== undefined) await sessions.append(tx, sessionId, turn.id, message, now());
  };
  const setState = async (tx: Tx, id: string, state: "waiting_approval" | "interrupted") => {
    await turns.setState(tx, id, state);
  };
  const workOn = async (tx: Tx) => {
    if (waits) await turns.setState(tx, turn.id, "running");
    waits = false;
  };

  async function take(event: TurnEvent): Promise<void> {
    if (event.type === "message") {
      stepped = true;
      said = "";
      if (event.message.calls.length === 0) answer = event;
      else await turnLog.commit(undefined, (tx) => append(tx, event.message));
      return;
    }
    if (event.type === "tool_result") {
      const { message, ...told } = event;
      await turnLog.commit(told, async (tx) => {
        await workOn(tx);
        await sessions.append(tx, sessionId, turn.id, message, now());
      });
      return;
    }
    if (event.type === "approval") {
      await turnLog.commit(event, (tx) => setState(tx, turn.id, "waiting_approval"));
      waits = true;
      return;
    }
    if (event.type === "done" || event.type === "notice") {
      const usage = event.type === "done" ? event.usage : noUsage;
      await turnLog.commit(event, async (tx) => {
        await append(tx, answer?.message);
        await turns.finish(tx, turn.id, { state: "done", usage, now: now() });
      });
      return;
    }
    if (event.type === "text") said += event.text;
    if (isLight(event)) turnLog.tell(event);
    else await turnLog.commit(event, async () => {});
  }

  async function fail(thrown: unknown): Promise<void> {
    // What ended the turn counts, not the error that this made somewhere below.
    const error = publicError(turn.signal.aborted ? (turn.signal.reason ?? cancelled()) : thrown);
    if (error.code === "internal")
      log.error("a turn failed", { turn: turn.id, session: sessionId, error: thrown });
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
    try {
      await turnLog.commit(event, async (tx) => {
        // A person who stops an answer has read its beginning: it stays in the conversation.
        await append(
          tx,
          answer?.message ?? (code === "cancelled" && said !== "" ? assistantMessage(said) : undefined),
        );
        const state = code === "cancelled" ? "cancelled" : "failed";
        await turns.finish(tx, turn.id, {
          state,
          errorCode: code,
          errorMessage: message,
          usage: noUsage,
          now: now(),
        });
        if (!stepped && refusals.includes(code)) await takeBackTurn(tx, turn.id, now());
      });
    } catch (fault) {
      log.error("the end of a turn could not be stored", { turn: turn.id, session: sessionId, error: fault });
      turnLog.tellUnstored(event);
    }
  }

  try {
    if (turn.resumed) {
      const text = "the server was restarted; the turn goes on";
      await turnLog.commit({ type: "status", code: "restarted", text }, async () => {});
    }
    for await (const event of run(turn)) {
      if (!began && !(event.type === "status" && event.code === "queued")) {
        began = true;
        turnLog.tell({ type: "started" });
      }
      if (turn.signal.aborted) throw turn.signal.reason;
      await take(event);
    }
  } catch (thrown) {
    await fail(thrown);
  }
}

export const notFound = (sessionId: string) => new AppError("not_found", `There is no session ${sessionId}.`);
