import type { Account } from "../llm/llm.ts";
import type { Turn, TurnRequest } from "./turn.ts";

/** The turn that a person, a job or a webhook began: itself, unless it is a delegate's. */
export function rootOf({ id: turnId, sessionId, request: { cause } }: Turn): {
  readonly turnId: string;
  readonly sessionId?: string;
} {
  return cause?.kind === "delegate" ? cause.root : { turnId, ...(sessionId && { sessionId }) };
}

/** On whose account the model calls of a turn are: those of a delegate are its root's, its session's too. */
export function accountOf(turn: Turn): Account {
  const { id: turnId, principal, channel, request } = turn;
  const root = rootOf(turn);
  return {
    turnId,
    principal: principal.name,
    channel,
    ...(root.sessionId && { sessionId: root.sessionId }),
    ...(request.cause?.kind === "delegate" && {
      parentTurnId: request.cause.turnId,
      rootTurnId: root.turnId,
    }),
  };
}

/** The most tokens that a turn may take by what it was told itself and what the turns above it were told. */
export function tokenLimit({ maxTokens, cause }: TurnRequest): number | undefined {
  const above = cause?.kind === "delegate" ? cause.limits.map(({ tokens }) => tokens) : [];
  const limits = maxTokens === undefined ? above : [maxTokens, ...above];
  return limits.length === 0 ? undefined : Math.min(...limits);
}
