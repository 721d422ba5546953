import { plainRequest, type Turn } from "../../src/agent/turn.ts";
import { userMessage } from "../../src/llm/message.ts";

/** A turn of the operator that says hello; `over` replaces what a test is about. */
export const aTurn = (over: Partial<Turn> = {}): Turn => ({
  id: "turn-1",
  principal: { name: "operator", scope: "operator" },
  channel: "websocket",
  text: "hello",
  entries: [userMessage(over.text ?? "hello")],
  request: plainRequest,
  resumed: false,
  signal: new AbortController().signal,
  outsideSlot: (wait) => wait(),
  ...over,
});
