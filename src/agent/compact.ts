import { AppError, publicError } from "../errors.ts";
import type { Llm } from "../llm/llm.ts";
import { type Message, systemMessage } from "../llm/message.ts";
import * as sessions from "../store/sessions.ts";
import type { Store } from "../store/open.ts";
import { agentLog as log } from "../telemetry/log.ts";
import { accountOf } from "./account.ts";
import { checkLease, isLeaseLost } from "./begin-turn.ts";
import type { Command } from "./commands.ts";
import { bytesOfEntries, type CompactionPlan, planCompaction } from "./compaction-plan.ts";
import { readPath, type StoredPast } from "./past.ts";
import { bytesOf } from "./rounds.ts";
import { summaryInstructions, summaryMessage, transcriptOf } from "./transcript.ts";
import type { RunTurn, Turn, TurnEvent } from "./turn.ts";

export interface CompactionParts {
  readonly store: Store;
  readonly llm: Llm;
  /** Bytes of messages that fit the model's window beside the tools and the reply. */
  readonly roomBytes: () => number;
  /** Of the window: a conversation longer than it is compacted before its next turn; 0 never. */
  readonly share: number;
  readonly timeoutMs?: number;
  readonly now?: () => number;
}

export interface Compaction {
  /** Compacts where it is due; whatever comes of it, the turn goes on. True when the path is another one now. */
  automatic(turn: Turn, past: StoredPast): AsyncGenerator<TurnEvent, boolean>;
  /** A turn that does nothing but compact its session, and says what was done. */
  readonly onDemand: RunTurn;
}

/** A session whose summary could not be written is left alone for so long: its messages are cut meanwhile. */
const restMs = 5 * 60_000;
const mostResting = 1000;

/** Puts summaries in place of the older part of a long conversation. Nothing is deleted, and no pointer moves. */
export function createCompaction(parts: CompactionParts): Compaction {
  const { store, llm, roomBytes, share } = parts;
  const { timeoutMs = 60_000, now = Date.now } = parts;
  const dueBytes = () => roomBytes() * share;
  const restUntil = new Map<string, number>();

  const rest = (sessionId: string) => {
    restUntil.delete(sessionId);
    restUntil.set(sessionId, now() + restMs);
    const [oldest] = restUntil.keys();
    if (restUntil.size > mostResting && oldest !== undefined) restUntil.delete(oldest);
  };

  /** Asks the model for the summary. What it says meanwhile is not the answer of the turn, so only its waits are told. */
  async function* ask(turn: Turn, covered: readonly sessions.Entry[]) {
    const system = systemMessage(summaryInstructions);
    const { model } = turn.request;
    const timeout = AbortSignal.timeout(timeoutMs);
    const request = {
      messages: [system, transcriptOf(covered, roomBytes() - bytesOf([system]))],
      tools: [],
      parameters: {},
      signal: AbortSignal.any([turn.signal, timeout]),
      outsideSlot: turn.outsideSlot,
      account: accountOf(turn),
      ...(model !== undefined && { model }),
      ...(turn.span && { span: turn.span }),
    };
    try {
      for await (const event of llm(request)) {
        if (event.type === "status") yield event;
        if (event.type !== "answer") continue;
        const text = event.message.text.trim();
        if (text === "" || event.finishReason === "content_filter")
          throw noSummary("The model wrote no summary.");
        // An eighth of what sets a compaction off, so that one does not set off the next.
        return summaryMessage(text, Math.floor((roomBytes() * (share || 0.8)) / 8));
      }
    } catch (error) {
      if (turn.signal.aborted || !timeout.aborted) throw error;
      throw new AppError("provider_timeout", `The model wrote no summary within ${timeoutMs / 1000} s.`);
    }
    throw noSummary("The model's stream ended without a summary.");
  }

  async function* write(
    turn: Turn,
    sessionId: string,
    plan: CompactionPlan,
  ): AsyncGenerator<TurnEvent, Message> {
    yield { type: "status", code: "compacting", text: "summing up the older messages" };
    const message = yield* ask(turn, plan.covered);
    if (bytesOf([message]) >= plan.coveredBytes)
      throw noSummary("The summary is no shorter than the messages.");
    const keptFrom = plan.keptFrom.id;
    await store.write(async (tx) => {
      await checkLease(tx, turn.id, turn.lease);
      await sessions.summarise(tx, { sessionId, turnId: turn.id, keptFrom, message, now: now() });
    });
    restUntil.delete(sessionId);
    return message;
  }

  /** The newest part of the path with as much of what was cut off as can be told to the model at once. */
  const readMore = (sessionId: string) =>
    store.read(async (tx) => {
      const session = await sessions.find(tx, sessionId);
      return { session, ...(await readPath(tx, session?.leafId, 4 * roomBytes())) };
    });

  return {
    async *automatic(turn, past) {
      const { sessionId } = turn;
      // A turn that goes on has its question among the newest, and calls that are not answered yet.
      if (sessionId === undefined || share === 0 || turn.resumed) return false;
      if (!past.isCut && bytesOfEntries(past.path) <= dueBytes()) return false;
      if (now() < (restUntil.get(sessionId) ?? 0)) return false;
      const { path } = past.isCut ? await readMore(sessionId) : past;
      const plan = planCompaction(path, { keepBytes: dueBytes() / 4, gainBytes: dueBytes() / 4 });
      if (plan === undefined) return false;
      try {
        yield* write(turn, sessionId, plan);
        return true;
      } catch (error) {
        if (turn.signal.aborted || isLeaseLost(error)) throw error;
        rest(sessionId);
        log.warn("a session could not be compacted; its older messages are left out", { sessionId, error });
        const text = "the older messages could not be summed up; what does not fit is left out";
        yield { type: "status", code: "compacting", text };
        return false;
      }
    },

    async *onDemand(turn) {
      const { sessionId } = turn;
      if (sessionId === undefined) {
        yield { type: "notice", text: "This command needs a session that is kept." };
        return;
      }
      const { session, path } = await readMore(sessionId);
      const total = bytesOfEntries(path);
      const plan = planCompaction(path, {
        keepBytes: Math.min(dueBytes() || total, total) / 4,
        gainBytes: 1,
      });
      if (plan === undefined) {
        yield {
          type: "notice",
          text: "Nothing to compact: the conversation is short, or was just compacted.",
        };
        return;
      }
      const model = turn.request.model ?? session?.model;
      const request = model === undefined ? turn.request : { ...turn.request, model };
      let text: string;
      try {
        const message = yield* write({ ...turn, request }, sessionId, plan);
        text = done(plan, path.length, bytesOf([message]));
      } catch (error) {
        if (turn.signal.aborted || isLeaseLost(error)) throw error;
        text = `Could not compact: ${publicError(error).message} Nothing was changed.`;
      }
      yield { type: "notice", text };
    },
  };
}

const noSummary = (text: string) => new AppError("provider_error", text);

/** `/compact`, which runs the turn that it is given. */
export const compactCommand = (run: RunTurn): Command => ({
  name: "compact",
  doc: "sums up the older messages for the model; nothing is deleted",
  when: "in_turn",
  run: (_args, turn) => run(turn),
});

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

function done({ covered, coveredBytes }: CompactionPlan, count: number, summaryBytes: number): string {
  const kept = count - covered.length;
  return `Compacted: a summary of ${kilobytes(summaryBytes)} stands for ${covered.length} messages (${kilobytes(coveredBytes)}); the newest ${kept} are sent as they are. Nothing was deleted.`;
}
