import { plainRequest } from "../agent/turn.ts";
import { AppError, busy } from "../errors.ts";
import * as rows from "../store/turns.ts";
import { type Accepted, endsTurn, type NewTurn, type SessionEvent } from "../turns/turns.ts";
import type { ClientFrame, FrameType } from "./client-frames.ts";
import {
  findRoom,
  hold,
  keep,
  type Resuming,
  release,
  settle,
  type Socket,
  sendEnvelope,
  tell,
  tellError,
  tellText,
  workOf,
} from "./connection.ts";
import { checkMayOpen } from "./ids.ts";
import { contextOf } from "./operations/operation.ts";
import { operations } from "./operations/index.ts";
import { ownSession } from "./owned.ts";
import type { GatewayParts } from "./parts.ts";
import { toPublic } from "./respond.ts";

type Frame<Type extends FrameType> = Extract<ClientFrame, { type: Type }>;

const mostRequests = 16;
const mostFollows = 32;

const byName = new Map(operations.map((operation) => [operation.name, operation]));

/** A connection's own session, for what it says without naming one. */
const ownId = ({ data }: Socket) => `websocket:${data.id}`;

/** Tells an event of a turn that this connection started; in a session that it resumed it hears everything already. */
function tellUnfollowed(ws: Socket, event: SessionEvent) {
  const { follows, resuming } = workOf(ws);
  if (follows.has(event.sessionId)) return;
  if (resuming?.sessionId === event.sessionId) keep(ws, resuming, event);
  else tell(ws, event);
}

/** What the frames of a client do. Each throws `AppError` for what it refuses. */
export function createFrameActs(parts: GatewayParts) {
  const { store, turns, approvals } = parts;

  /** Accepts a message whose turn this connection then hears, once: the message may come again while that runs. */
  async function accept(ws: Socket, newTurn: NewTurn): Promise<Accepted> {
    const { turns: started, follows } = workOf(ws);
    const { sessionId, messageId } = newTurn;
    let tells: typeof tell | undefined = tellUnfollowed;
    const hear = (event: SessionEvent) => {
      if (tells === undefined) return;
      tells(ws, event);
      if (endsTurn(event.event)) started.delete(event.turnId);
    };
    const accepted = await turns.accept(newTurn, Object.assign(hear, { room: () => findRoom(ws) }));
    const { turnId, ended } = accepted;
    if (started.has(turnId)) tells = undefined;
    // No log tells what is over before the place that it is followed from.
    else if (ended && follows.get(sessionId)?.isFromNow !== false) tells = tell;
    if (tells !== undefined)
      started.set(turnId, { sessionId, ...(messageId !== undefined && { messageId }) });
    return accepted;
  }

  async function say(
    ws: Socket,
    message: Pick<Frame<"user_message">, "text" | "messageId" | "sessionId" | "traceparent">,
  ) {
    const { text, messageId, sessionId = ownId(ws) } = message;
    if (text === "") throw new AppError("bad_request", "The message is empty.", { param: "text" });
    if (sessionId !== ownId(ws)) await checkMayOpen(store, ws.data.principal, sessionId);
    hold(ws);
    let accepted: Accepted;
    try {
      accepted = await accept(ws, {
        sessionId,
        principal: ws.data.principal,
        channel: "websocket",
        text,
        request: plainRequest,
        trace: message.traceparent,
        ...(messageId !== undefined && { messageId }),
      });
      const { turnId, cursor } = accepted;
      if (messageId !== undefined && ws.data.envelopes)
        sendEnvelope(ws, { type: "accepted", inReplyToMessageId: messageId, sessionId, turnId, cursor });
    } finally {
      release(ws);
    }
    // Two answers that are told again do not mix, nor one and a log.
    await accepted.told;
  }

  async function decide(
    ws: Socket,
    { approvalId: id, approved, note, scope, messageId }: Frame<"tool_approval_decision">,
  ) {
    const verdict = await approvals.decide(id, ws.data.principal, {
      approved,
      note: note ?? undefined,
      scope: scope ?? undefined,
    });
    const answers = {
      recorded: `Tool approval recorded: ${id} = ${approved ? "approved" : "denied"}`,
      unknown: `No pending approval found for id: ${id}`,
      not_yours: `Approval id is not valid for this sender/channel: ${id}`,
    };
    tellText(ws, answers[verdict], messageId);
  }

  async function turnOf(
    ws: Socket,
    { messageId, sessionId: named }: Frame<"cancel">,
  ): Promise<string | undefined> {
    const isMeant = (of: Pick<NewTurn, "sessionId" | "messageId">) =>
      of.messageId === messageId && (named === undefined || of.sessionId === named);
    const started =
      messageId === undefined ? undefined : [...workOf(ws).turns].findLast(([, of]) => isMeant(of));
    if (started !== undefined) return started[0];
    const sessionId = named ?? ownId(ws);
    await ownSession(parts, ws.data.principal, sessionId);
    if (messageId === undefined) return turns.current(sessionId);
    return (await store.read((tx) => rows.findByMessage(tx, sessionId, messageId)))?.id;
  }

  async function cancel(ws: Socket, frame: Frame<"cancel">) {
    const turnId = await turnOf(ws, frame);
    if (turnId === undefined) throw new AppError("not_found", "There is no turn to cancel.");
    // Not awaited: what is said next need not wait until every tool has stopped. The turn itself tells how it ended.
    turns.cancel(turnId).catch((error) => tellError(ws, toPublic(error, "cancel", ws.data.id)));
  }

  async function resume(ws: Socket, { sessionId, after }: Frame<"resume">) {
    const work = workOf(ws);
    const { follows } = work;
    await ownSession(parts, ws.data.principal, sessionId);
    const before = follows.get(sessionId);
    if (before === undefined && follows.size >= mostFollows) {
      throw new AppError("conflict", `One connection may resume ${mostFollows} sessions: open another.`);
    }
    const resuming: Resuming = { sessionId, size: 0, kept: [] };
    work.resuming = resuming;
    // From a cursor on the log tells everything again, what was kept included; without one only what comes.
    const isReadAgain = after !== undefined;
    const hear = (event: SessionEvent) => {
      const next = work.resuming;
      // It is resumed once more: that may be refused, and then this one goes on.
      if (next !== undefined && next !== resuming && next.sessionId === sessionId)
        return keep(ws, next, event);
      settle(ws, resuming, (kept) => !isReadAgain && kept !== event);
      tell(ws, event);
    };
    try {
      const stop = await turns.follow(sessionId, after, Object.assign(hear, { room: () => findRoom(ws) }));
      settle(ws, resuming, () => !isReadAgain);
      before?.stop();
      follows.set(sessionId, { stop, isFromNow: !isReadAgain });
      // It was closed meanwhile, and nobody else will stop it.
      if (ws.readyState !== WebSocket.OPEN) stop();
    } catch (error) {
      if (resuming.kept === undefined) {
        // It broke off in the middle, and the one before has missed what came meanwhile.
        before?.stop();
        follows.delete(sessionId);
      }
      settle(ws, resuming, () => true);
      throw error;
    } finally {
      work.resuming = undefined;
    }
  }

  async function run(
    ws: Socket,
    { method, params }: Frame<"request">,
    startHolding: () => void,
  ): Promise<unknown> {
    const operation = byName.get(method);
    if (operation === undefined) throw new AppError("not_found", `There is no operation ${method}.`);
    if (operation.kind === "lines")
      throw new AppError("unsupported", `${method} is long: ask for it over HTTP.`);
    if (operation.kind === "events")
      throw new AppError("unsupported", `Send \`resume\` instead of ${method}.`);
    return operation.run(
      params,
      contextOf(parts, {
        principal: ws.data.principal,
        channel: "websocket",
        accept(newTurn) {
          startHolding();
          return accept(ws, newTurn);
        },
      }),
    );
  }

  async function request(ws: Socket, frame: Frame<"request">) {
    const work = workOf(ws);
    if (work.requests >= mostRequests) throw busy();
    work.requests++;
    let holding = false;
    const startHolding = () => {
      if (!holding) hold(ws);
      holding = true;
    };
    try {
      sendEnvelope(ws, { type: "response", id: frame.id, result: await run(ws, frame, startHolding) });
    } catch (thrown) {
      const { code, message, retryAfterMs } = toPublic(thrown, frame.method, ws.data.id);
      sendEnvelope(ws, { type: "response", id: frame.id, error: { code, message, retryAfterMs } });
    } finally {
      work.requests--;
      // Events of a turn that it started come after the response.
      if (holding) release(ws);
    }
  }

  return { say, decide, cancel, resume, request };
}
