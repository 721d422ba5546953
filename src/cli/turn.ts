import type { Answer } from "./approve.ts";
import type { Connection, Envelope } from "./connection.ts";
import type { Screen } from "./screen.ts";

export interface Ask {
  readonly text: string;
  readonly sessionId: string | undefined;
  /** Answers a question for approval; the note is read by the model. */
  approve(question: Envelope): Promise<Answer>;
  /** Called with what ends the turn early. */
  onStart(cancel: () => void): void;
}

const ends = ["assistant_done", "assistant_message", "error"];

/** Sends a message, shows what comes back and asks for approvals, to the end of the turn. False when the turn failed. */
export async function takeTurn(connection: Connection, screen: Screen, ask: Ask): Promise<boolean> {
  const messageId = crypto.randomUUID();
  ask.onStart(() => connection.send({ type: "cancel", messageId }));
  connection.send({
    type: "user_message",
    text: ask.text,
    messageId,
    ...(ask.sessionId && { sessionId: ask.sessionId }),
  });
  for (;;) {
    const envelope = await connection.receive();
    const ofOther = envelope.inReplyToMessageId !== undefined && envelope.inReplyToMessageId !== messageId;
    if (ofOther) continue;
    await screen.show(envelope);
    if (envelope.type === "tool_approval_required")
      connection.send({
        type: "tool_approval_decision",
        approvalId: envelope.approvalId,
        ...(await ask.approve(envelope)),
      });
    if (ends.includes(envelope.type)) return envelope.type !== "error";
  }
}
