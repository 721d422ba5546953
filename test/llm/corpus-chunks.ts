/** Pieces that the raw streams of the corpus are written with. */

export const event = (payload: object | string) =>
  `data: ${typeof payload === "string" ? payload : JSON.stringify(payload)}\n\n`;
export const delta = (delta: object, finish_reason: string | null = null) =>
  event({ model: "m", choices: [{ index: 0, delta, finish_reason }] });
export const say = (content: string) => delta({ content });
export const piece = (...tool_calls: object[]) => delta({ tool_calls });
export const end = (reason: string) => delta({}, reason);
export const done = event("[DONE]");
export const usage = { prompt_tokens: 7, completion_tokens: 3 };
