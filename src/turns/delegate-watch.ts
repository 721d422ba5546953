import { endsTurn, type LoggedEvent } from "./turns.ts";

type Approval = Extract<LoggedEvent, { type: "approval" }>;

/** What a delegate has come to so far. */
export interface Progress {
  /** What it said in its last step. */
  readonly text: string;
  /** 0 where its events were not told any more. */
  readonly steps: number;
  /** Tools of calls that were denied. */
  readonly denied: readonly string[];
}

export interface Watching {
  readonly profile: string;
  /** Shows a person what the delegate does. */
  emit(text: string): void;
  /** Its question to a person. */
  asks(question: Approval): void;
  /** It begins or ends to wait for a person. */
  waits(isWaiting: boolean): void;
}

/** Characters that one delegation shows; its session has all of it. */
const mostShown = 20_000;
const longestLine = 200;
const longestAnswer = 100_000;

const oneLine = (text: string) => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= longestLine ? line : `${line.slice(0, longestLine - 1).toWellFormed()}…`;
};

/** Follows the events of a delegate: shows them as lines, and keeps what its caller is to be told. */
export function watchDelegate({ profile, emit, asks, waits }: Watching) {
  let text = "";
  let steps = 0;
  const denied = new Set<string>();
  /** Calls of it that a person is asked about. */
  const asked = new Set<string>();
  let shown = 0;
  let atLineStart = true;

  function show(piece: string) {
    if (piece === "" || shown > mostShown) return;
    shown += piece.length;
    emit(piece);
    atLineStart = piece.endsWith("\n");
    if (shown > mostShown) emit(`\n[${profile}] more is in its session\n`);
  }
  const showLine = (line: string) => show(`${atLineStart ? "" : "\n"}[${profile}] ${oneLine(line)}\n`);

  function decided(callId: string) {
    if (asked.delete(callId) && asked.size === 0) waits(false);
  }

  function wait(event: Approval) {
    if (asked.size === 0) waits(true);
    asked.add(event.callId);
    asks(event);
  }

  /** `isNew`: nobody has been shown it before. */
  function take(event: LoggedEvent, isNew: boolean) {
    const line = isNew ? showLine : () => {};
    if (event.type === "text") {
      text = (text + event.text).slice(0, longestAnswer);
      if (isNew) show(`${atLineStart ? `[${profile}] ` : ""}${event.text}`);
    } else if (event.type === "status") {
      if (event.code === "step") {
        text = "";
        steps = event.step ?? steps + 1;
        line(`step ${steps}`);
      } else line(event.text);
    } else if (event.type === "approval") {
      line(`asks before ${event.toolName}`);
      wait(event);
    } else if (event.type === "tool_start") {
      decided(event.callId);
      line(`${event.toolName} ${event.argumentsPreview}`);
    } else if (event.type === "tool_chunk") {
      // A delegate's may come from any call of it: that the one which is asked about is decided, only its result says.
      if (event.toolName !== "delegate_agent") decided(event.callId);
      // Of other tools the result says enough.
      else if (isNew) show(event.text);
    } else if (event.type === "tool_result") {
      decided(event.callId);
      if (event.resultStatus === "denied") denied.add(event.toolName);
      const why = event.resultStatus === "ok" ? "" : `: ${event.text}`;
      line(`${event.toolName} ${event.resultStatus}${why}`);
    } else if (event.type === "notice") text = event.text;
    else if (event.type === "failed") line(`ended: ${event.message}`);
    if (endsTurn(event) && asked.size > 0) {
      asked.clear();
      waits(false);
    }
  }

  return { take, progress: (): Progress => ({ text, steps, denied: [...denied] }) };
}
