import { plainRequest } from "../agent/turn.ts";
import { textOf } from "../agent/shorten.ts";
import { AppError } from "../errors.ts";
import { readAssistant, type Message } from "../llm/message.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import * as turns from "../store/turns.ts";
import { callName } from "./call-name.ts";
import { notFound } from "./runner.ts";
import type { Turns } from "./turns.ts";

/** The call that asks, and for whom. */
interface Asking {
  readonly principal: string;
  readonly turnId: string;
  readonly callId: string;
  readonly step?: number | undefined;
  readonly sessionId?: string;
  /** The only tools that its turn may use. */
  readonly onlyTools?: readonly string[];
  /** The most tokens that its turn may take. */
  readonly maxTokens?: number;
  readonly approver?: "requester" | "none";
}

/** What an agent says in another session comes in by this door. */
const channel = "sessions";

/** What was said: an answer that only calls tools says so. */
function said(message: Message): string {
  if (message.role !== "assistant") return textOf(message);
  const { text, calls } = readAssistant(message);
  return text === "" ? `(calls ${calls.map(({ name }) => name).join(", ")})` : text;
}

/** The sessions of who a call is for, as an agent may see and use them. Another's session is the same as none. */
export function ownSessions(store: Store, accept: Turns["accept"], asking: Asking) {
  const { principal, turnId } = asking;

  async function own(id: string) {
    const found = await store.read((tx) => sessions.find(tx, id));
    if (found?.owner !== principal) throw notFound(id);
  }

  /** One that was begun by an agent may not begin another: two sessions could keep each other busy for ever. */
  async function mayBegin(sessionId: string) {
    if (sessionId === asking.sessionId)
      throw new AppError("forbidden", `Cannot send to ${sessionId}: it is the session of this conversation.`);
    const turn = await store.read((tx) => turns.find(tx, turnId));
    if (turn?.channel === "delegate")
      throw new AppError(
        "forbidden",
        "Cannot send: a delegate answers who asked it, and begins nothing else.",
      );
    if (turn?.channel === channel)
      throw new AppError(
        "forbidden",
        "Cannot send: this turn was itself started from another session, and such a turn starts no further ones.",
      );
  }

  return {
    async list(limit: number) {
      const page = await store.read((tx) => sessions.list(tx, { owner: principal, limit }));
      return page.items.map(({ id, title = "", updatedAt }) => ({ id, title, updatedAt }));
    },
    async history(sessionId: string, limit: number) {
      await own(sessionId);
      const page = await store.read((tx) => sessions.messages(tx, sessionId, { limit }));
      return page.items.map(({ message, createdAt }) => ({
        role: message.role,
        text: said(message),
        at: createdAt,
      }));
    },
    async send(sessionId: string, message: string) {
      await own(sessionId);
      await mayBegin(sessionId);
      const accepted = await accept({
        sessionId,
        // Not more than the session's owner, whoever that is.
        principal: { name: principal, scope: "chat" },
        channel,
        text: message,
        // What is begun there may not use more than what began it.
        request: {
          ...plainRequest,
          ...(asking.approver && { approver: asking.approver }),
          ...(asking.onlyTools && { onlyTools: asking.onlyTools }),
          ...(asking.maxTokens !== undefined && { maxTokens: asking.maxTokens }),
        },
        messageId: `call:${turnId}:${callName(asking.step, asking.callId)}`,
      });
      return { turnId: accepted.turnId };
    },
  };
}
