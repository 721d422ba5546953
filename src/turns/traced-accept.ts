import type { TurnRequest } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import { names, spanNames } from "../telemetry/names.ts";
import { isTracing, startSpan } from "../telemetry/span.ts";
import type { Turns } from "./turns.ts";

interface TakenIn {
  readonly channel: string;
  readonly sessionId?: string;
  readonly trace?: string | undefined;
  readonly request: TurnRequest;
}

/** The span of a door that makes a turn, where a trace begins or goes on, and the request that remembers it. */
export function startGatewaySpan({ channel, sessionId, trace, request }: TakenIn) {
  const span = startSpan({
    name: spanNames.gateway(channel),
    kind: "server",
    parent: trace,
    attributes: { [names.channel]: channel, [names.session]: sessionId },
  });
  return { span, request: span === undefined ? request : { ...request, trace: span.traceparent } };
}

/** Turns are taken in inside a span of their door; what runs them later, in whichever process, goes on from there. */
export const tracedAccept =
  ({ accept }: Pick<Turns, "accept">): Turns["accept"] =>
  async (turn, listener, also) => {
    if (!isTracing()) return accept(turn, listener, also);
    const { span, request } = startGatewaySpan(turn);
    let fault: string | undefined;
    try {
      const accepted = await accept({ ...turn, request }, listener, also);
      span?.set({ [names.turn]: accepted.turnId });
      return accepted;
    } catch (error) {
      fault = error instanceof AppError ? error.code : "internal";
      throw error;
    } finally {
      span?.end(fault);
    }
  };
