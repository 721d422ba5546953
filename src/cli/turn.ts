import type { Answer } from "./approve.ts";
import type { Connection, Envelope } from "./connection.ts";
import type { Screen } from "./screen.ts";

export interface Ask {
  readonly text: string;
  readonly sessionId: string | undefined;
  /** Answers a question for approval; the note is read by the model. Asked again when the server refuses the answer. */
  approve(question: Envelope): Promise<Answer>;
  /** Called with what ends the turn early. */
  onStart(cancel: () => void): void;
}

const ends = ["assistant_done", "assistant_message", "error"];
/** Nobody may be there to answer otherwise: then it would go on without end. */
const mostRefused = 5;

/** Sends a message, shows what comes back and asks for approvals, to the end of the turn. False when the turn failed. */
export async function takeTurn(connection: Connection, screen: Screen, ask: Ask): Promise<boolean> {
  const messageId = crypto.randomUUID();
  const cancel = () => connection.send({ type: "cancel", messageId });
  ask.onStart(cancel);
  connection.send({
    type: "user_message",
    text: ask.text,
    messageId,
    ...(ask.sessionId && { sessionId: ask.sessionId }),
  });
  /** Questions whose decisions the server has not answered yet; it does so in their order. */
  const open: Envelope[] = [];
  let refused = 0;
  async function decide(question: Envelope) {
    const answer = await ask.approve(question);
    connection.send({ type: "tool_approval_decision", approvalId: question.approvalId, ...answer });
    open.push(question);
  }
  /** What belongs to no turn: what the server says of a decision. */
  async function hearOfDecision({ type, text }: Envelope) {
    if (type !== "assistant_message" && type !== "error") return;
    screen.note(type === "error" ? `Error: ${text}` : text);
    const question = open.shift();
    if (type !== "error" || question === undefined) return;
    if (++refused < mostRefused) return decide(question);
    screen.note(`The turn is cancelled: ${refused} decisions were refused.`);
    cancel();
  }
  for (;;) {
    const envelope = await connection.receive();
    const { type, inReplyToMessageId } = envelope;
    if (inReplyToMessageId === undefined) await hearOfDecision(envelope);
    if (inReplyToMessageId !== messageId) continue;
    await screen.show(envelope);
    if (type === "tool_approval_required") await decide(envelope);
    if (ends.includes(type)) return type !== "error";
  }
}
