import type { Acting, DelegateTask, Delegating } from "../agent/act.ts";
import { rootOf } from "../agent/account.ts";
import type { Approvals } from "../agent/approvals.ts";
import { namesOf, type Profile, type Profiles } from "../agent/profiles.ts";
import { plainRequest, type Turn, type TurnCause } from "../agent/turn.ts";
import { AppError, cancelled, isStopping } from "../errors.ts";
import type { Store } from "../store/open.ts";
import * as usage from "../store/usage.ts";
import { callName } from "./call-name.ts";
import { type Clock, startClock } from "./delegate-clock.ts";
import { createPlaces } from "./delegate-places.ts";
import { type Progress, watchDelegate } from "./delegate-watch.ts";
import { endsTurn, type LoggedEvent, type NewTurn, type Turns } from "./turns.ts";

export interface DelegationParts {
  readonly store: Store;
  readonly turns: Pick<Turns, "accept" | "cancel">;
  readonly approvals: Pick<Approvals, "pending">;
  readonly profiles: Profiles;
  /** How many delegations may lie above each other. */
  readonly depth: number;
  /** Delegates of one turn that work at once. */
  readonly width: number;
}

/** The time of a profile that says none. */
const defaultMs = 600_000;
/** How long the end of a delegate that was cancelled is waited for: it may be in another process. */
const endMs = 10_000;

type DelegateCause = Extract<TurnCause, { kind: "delegate" }>;
type Question = Extract<LoggedEvent, { type: "approval" }>;

const causeOf = ({ request: { cause } }: Turn): DelegateCause | undefined =>
  cause?.kind === "delegate" ? cause : undefined;

const refused = (text: string) => new AppError("bad_request", text);

/** The profile that a turn may delegate to; throws for any other, saying which there are. */
export function delegateOf(turn: Turn, name: string, { profiles, depth }: DelegationParts): Profile {
  const { above = [], depth: taken = 0 } = causeOf(turn) ?? {};
  const own = turn.request.agent;
  const others = profiles.list.filter((each) => each.name !== own && !above.includes(each.name));
  const there = `There are: ${namesOf(others)}.`;
  const shown = name.slice(0, 100);
  const found = profiles.find(name);
  if (found === undefined) throw refused(`Cannot delegate to "${shown}": there is no such agent. ${there}`);
  if (name === own) throw refused(`Cannot delegate to ${name}: that is the agent that asks. ${there}`);
  if (above.includes(name))
    throw refused(
      `Cannot delegate to ${name}: this is work that was delegated by ${name} (${[...above, own].join(" → ")}), so it would go in a circle. ${there}`,
    );
  if (taken >= depth)
    throw refused(
      `Cannot delegate to ${name}: agents may delegate ${depth} deep (OPENCLAW_DELEGATION_DEPTH), and this is there already. Do it without.`,
    );
  return found;
}

/** The turn of a delegate: it may do at most what the turn above may, in a session of its own. */
export function delegateTurn(turn: Turn, callId: string, of: DelegateTask): NewTurn {
  const { agent, onlyTools, maxTokens, approver } = turn.request;
  const { depth = 0, above = [], limits = [] } = causeOf(turn) ?? {};
  const name = callName(turn.step, callId);
  return {
    sessionId: `delegate:${turn.id}:${name}`,
    principal: turn.principal,
    channel: "delegate",
    text: of.task,
    messageId: `call:${turn.id}:${name}`,
    ...(turn.span && { trace: turn.span.traceparent }),
    request: {
      ...plainRequest,
      approver,
      agent: of.profile,
      ...(onlyTools !== undefined && { onlyTools }),
      cause: {
        kind: "delegate",
        turnId: turn.id,
        callId,
        depth: depth + 1,
        ...(turn.sessionId !== undefined && { sessionId: turn.sessionId }),
        root: rootOf(turn),
        above: agent === undefined ? above : [...above, agent],
        limits: maxTokens === undefined ? limits : [...limits, { turnId: turn.id, tokens: maxTokens }],
      },
    },
  };
}

interface Report extends Progress {
  readonly profile: string;
  readonly sessionId: string;
  readonly tokens: number;
}

function took({ profile, steps, tokens, denied, sessionId }: Report): string {
  const facts = [
    ...(steps > 0 ? [`${steps} ${steps === 1 ? "step" : "steps"}`] : []),
    `${tokens} tokens`,
    ...(denied.length > 0 ? [`denied: ${denied.join(", ")}`] : []),
    `session ${sessionId}`,
  ];
  return `[${profile}: ${facts.join("; ")}]`;
}

/** What the caller reads; throws where there is no answer. */
function answerOf(end: LoggedEvent | "late", report: Report, limitMs: number): string {
  const { profile, text } = report;
  if (end !== "late" && end.type !== "failed")
    return `${text || "(It answered nothing.)"}\n\n${took(report)}`;
  const why =
    end === "late"
      ? `it was stopped after ${limitMs / 1000} seconds of work (timeoutSeconds of its profile)`
      : `${end.message} (${end.code})`;
  const last = text === "" ? "" : `\nIt had said:\n${text}`;
  throw new AppError("unavailable", `${profile} did not finish: ${why}\n${took(report)}${last}`);
}

/** Lets the calls of turns delegate to the profiles; each delegate is a kept turn, which a call finds again after a crash. */
export function createDelegation(parts: DelegationParts): NonNullable<Acting["delegate"]> {
  const { store, turns, approvals } = parts;
  const places = createPlaces(parts.width);

  async function delegate({ turn, callId, tell }: Delegating, of: DelegateTask, profile: Profile) {
    const { signal } = of;
    const limitMs = (profile.timeoutSeconds ?? defaultMs / 1000) * 1000;
    const over = Promise.withResolvers<LoggedEvent | "late" | "aborted">();
    const ended = Promise.withResolvers<LoggedEvent>();
    let clock: Clock | undefined;
    let isWaiting = false;
    let isLeft = false;
    // What a repeated turn tells first was shown before, but for questions that are still open.
    let isNew = false;
    const questions = new Map<string, Question>();
    const ask = (question: Question) => tell({ ...question, callId });
    const watch = watchDelegate({
      profile: profile.name,
      emit: of.emit,
      asks: (question) => (isNew ? ask(question) : questions.set(question.approvalId, question)),
      waits(isNow) {
        if (isNow === isWaiting) return;
        isWaiting = isNow;
        if (isNow) places.leave(turn.id);
        else places.comeBack(turn.id);
        if (isNow) clock?.pause();
        else clock?.go();
      },
    });
    const abort = () => over.resolve("aborted");
    try {
      const child = delegateTurn(turn, callId, of);
      const { turnId, sessionId } = await turns.accept(child, ({ event }) => {
        // Nobody waits for it here any more: it may still be told how it ended.
        if (!isLeft) watch.take(event, isNew);
        if (!endsTurn(event)) return;
        over.resolve(event);
        ended.resolve(event);
      });
      isNew = true;
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      clock = startClock(limitMs, () => over.resolve("late"));
      if (isWaiting) clock.pause();
      if (questions.size > 0)
        for (const { id } of await approvals.pending(turn.principal)) {
          const question = questions.get(id);
          if (question !== undefined) ask(question);
        }
      let end = await over.promise;
      if (end === "aborted") {
        // A server that stops goes on with both when it starts again.
        if (!isStopping(signal.reason)) await turns.cancel(turnId);
        throw cancelled();
      }
      if (end === "late") {
        await turns.cancel(turnId);
        const last = await Promise.race([ended.promise, Bun.sleep(endMs)]);
        if (last?.type === "done") end = last;
      }
      // A write, because it stands behind those of the calls that have just ended.
      const { tokens } = await store.write((tx) => usage.spentByTurn(tx, turnId));
      const report = { ...watch.progress(), profile: profile.name, sessionId, tokens };
      return answerOf(end, report, limitMs);
    } finally {
      isLeft = true;
      clock?.stop();
      signal.removeEventListener("abort", abort);
      if (isWaiting) places.comeBack(turn.id);
    }
  }

  return (by) => ({
    async run(of) {
      const profile = delegateOf(by.turn, of.profile, parts);
      const waits = () => of.emit(`[${profile.name}] waits: ${parts.width} delegates are at work\n`);
      return by.turn.outsideSlot(async () => {
        await places.enter(by.turn.id, of.signal, waits);
        try {
          return await delegate(by, of, profile);
        } finally {
          places.leave(by.turn.id);
        }
      });
    },
  });
}
