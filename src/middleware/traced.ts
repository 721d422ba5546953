import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import { names, spanNames } from "../telemetry/names.ts";
import { isTracing, startSpan } from "../telemetry/span.ts";

const attributesOf = ({ id, sessionId, channel, request: { cause }, resumed }: Turn) => ({
  [names.turn]: id,
  [names.session]: sessionId,
  [names.conversation]: sessionId,
  [names.channel]: channel,
  [names.cause]: cause?.kind,
  [names.job]: cause?.kind === "job" ? cause.jobId : undefined,
  [names.webhook]: cause?.kind === "webhook" ? cause.name : undefined,
  [names.resumed]: resumed || undefined,
});

async function* inSpan(turn: Turn, next: RunTurn): AsyncIterable<TurnEvent> {
  const span = startSpan({
    name: spanNames.turn,
    kind: "internal",
    parent: turn.request.trace,
    attributes: attributesOf(turn),
  });
  let fault: string | undefined;
  try {
    yield* next(span === undefined ? turn : { ...turn, span });
  } catch (error) {
    fault = error instanceof AppError ? error.code : "internal";
    throw error;
  } finally {
    span?.end(fault);
  }
}

/** Everything that is done for a turn, its wait in line included, is one span; without tracing it costs nothing. */
export const traced: Middleware = (turn, next) => (isTracing() ? inSpan(turn, next) : next(turn));
