import { connectEnvelopes } from "./envelope-client.ts";
import { type InProcess, operatorToken } from "./in-process.ts";

/** Every way in which a turn can be asked for; those of `keptDoors` keep the conversation in a session. */
export const keptDoors = ["chat session", "response session", "ws", "operation"] as const;
export const doors = ["chat", "chat stream", "response", "response stream", ...keptDoors] as const;
export type Door = (typeof doors)[number];

export const isKept = (door: Door) => keptDoors.some((each) => each === door);

export interface Saying {
  readonly door: Door;
  readonly text: string;
  /** Where the door keeps one. */
  readonly session: string;
  /** The client goes away, or cancels, when it hears `half `: what it asked for does not end by itself. */
  readonly leaves?: boolean;
}

/** Asks for one turn through a door and waits for its end, however it ends. */
export async function say(server: InProcess, { door, text, session, leaves = false }: Saying): Promise<void> {
  const messages = [{ role: "user", content: text }];
  const controller = new AbortController();
  const { signal } = controller;
  const headers = { "x-openclaw-session-id": session };
  const read = async (response: Response) => {
    const decoder = new TextDecoder();
    let heard = "";
    for await (const piece of response.body ?? []) {
      heard += decoder.decode(piece, { stream: true });
      if (leaves && heard.includes("half ")) return controller.abort();
    }
  };
  const ask = (path: string, body: object, more = {}) =>
    server
      .ask(path, body, { signal, ...more })
      .then(read)
      .catch(() => {});

  switch (door) {
    case "chat":
      return ask("/v1/chat/completions", { messages, stream: leaves });
    case "chat stream":
      return ask("/v1/chat/completions", { messages, stream: true });
    case "response":
      return ask("/v1/responses", { input: text, stream: leaves });
    case "response stream":
      return ask("/v1/responses", { input: text, stream: true });
    case "chat session":
      if (!leaves) return ask("/v1/chat/completions", { messages }, { headers });
      break;
    case "response session":
      if (!leaves) return ask("/v1/responses", { input: text }, { headers });
      break;
    case "operation": {
      const sent = await (await server.ask(`/api/sessions/${session}/messages`, { text })).json();
      if (!leaves) return ask(`/api/turns/${sent.turn}/events`, {}, { method: "GET", body: null });
      break;
    }
    case "ws":
      break;
  }
  // A kept turn runs on without its client: it has to be cancelled.
  using client = await connectEnvelopes(server.url, operatorToken);
  if (door !== "operation") client.send({ type: "user_message", text, sessionId: session });
  else client.send({ type: "resume", sessionId: session, after: "0" });
  if (leaves) {
    await client.next("assistant_chunk");
    client.send({ type: "cancel", sessionId: session });
  }
  await client.next("typing_stop");
}
