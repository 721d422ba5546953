import type { ChatBody, Step } from "../helpers/model-server.ts";

/** What is said in a session, and what the model then does, is known beforehand: everything can be checked against it. */
export const textOf = (session: string, n: number) => `message ${session}/${n}`;
export const answerOf = (session: string, n: number) => `The answer to message ${session}/${n}.`;

export interface PlannedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: object;
}

/** The line that a call of `edit_file` adds to the session's file. */
const lineOf = (session: string, n: number) => `${session}/${n}`;
export const logOf = (session: string) => `log-${session}.txt`;
export const fileOf = (session: string, n: number) => `turn-${session}-${n}.txt`;
export const logEnd = "END";

/** The calls of each step before the answer. */
export function planOf(session: string, n: number): readonly (readonly PlannedCall[])[] {
  const call = (step: number, at: number, name: string, input: object): PlannedCall => ({
    id: `call-${session}-${n}-${step}-${at}`,
    name,
    arguments: input,
  });
  const read = (step: number, at: number) => call(step, at, "read_file", { path: "seed.txt" });
  // A call that ran twice leaves its line twice.
  const add = (step: number, at: number) =>
    call(step, at, "edit_file", {
      path: logOf(session),
      old_text: logEnd,
      new_text: `${lineOf(session, n)}\n${logEnd}`,
    });
  // It asks, so that a kill may meet a turn that waits for a person; it says `Created` the first time alone.
  const write = (step: number, at: number) =>
    call(step, at, "write_file", { path: fileOf(session, n), content: "x" });
  const plans = [
    () => [],
    () => [[read(0, 0)], [add(1, 0)]],
    () => [[add(0, 0), read(0, 1)]],
    () => [[write(0, 0)], [read(1, 0), add(1, 1)]],
  ];
  return plans[n % plans.length]?.() ?? [];
}

/** The lines that a session's file may hold, at most once each. */
export const linesIn = (text: string) => text.split("\n").filter((line) => line !== "" && line !== logEnd);

/** Says what is wrong with the order of a request's messages; undefined when a provider would take it. */
export function problemOf(messages: ChatBody["messages"]): string | undefined {
  const open: string[] = [];
  let said = -1;
  for (const [at, message] of messages.entries()) {
    if (message.role === "tool") {
      const expected = open.shift();
      if (message.tool_call_id !== expected)
        return `result ${message.tool_call_id} where ${expected} belongs`;
      continue;
    }
    if (open.length > 0) return `no result of ${open.join(", ")} before message ${at}`;
    if (message.role === "user") {
      const n = Number(/\/(\d+)$/.exec(String(message.content))?.[1]);
      if (n !== said + 1) return `message ${n} behind message ${said}`;
      said = n;
      if (messages[at - 1]?.role === "user") return `two messages of the user in a row at ${at}`;
    }
    open.push(...(message.tool_calls ?? []).map((call) => call.id));
  }
  return open.length > 0 ? `no result of ${open.join(", ")} at the end` : undefined;
}

/** What the model does next, read from the transcript alone. */
export function nextStep({ messages }: ChatBody): Step {
  const at = messages.findLastIndex((message) => message.role === "user");
  const [, session = "", n = ""] = /^message (\w+)\/(\d+)$/.exec(String(messages[at]?.content)) ?? [];
  const taken = messages.slice(at + 1).filter((message) => message.role === "assistant").length;
  const calls = planOf(session, Number(n))[taken];
  if (calls !== undefined) return { calls };
  return { text: answerOf(session, Number(n)).match(/\S+\s?/g) ?? [] };
}
