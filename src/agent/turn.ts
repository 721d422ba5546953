import type { FinishReason, ToolOffer } from "../llm/llm.ts";
import type { AssistantMessage, Message, ToolCall, Usage } from "../llm/message.ts";
import type { ResultStatus } from "../sandbox/tool.ts";
import type { Span } from "../telemetry/span.ts";

/** Who asks: the name of a token, or a channel and its sender. The operator may address any session. */
export interface Principal {
  readonly name: string;
  readonly scope: "operator" | "chat";
}

/** What a client asked for beside its text; kept with the turn, so that it survives a restart. */
export interface TurnRequest {
  readonly model?: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Tools of the client: offered beside ours, and a call of one ends the turn. */
  readonly clientTools: readonly ToolOffer[];
  /** The client's own system texts; they come after ours. */
  readonly clientSystem: readonly string[];
  /** False with `tool_choice: "none"`. */
  readonly toolsOn: boolean;
  /** Profile of OPENCLAW_AGENTS that answers; the default agent when absent. */
  readonly agent?: string;
  /** The only tools that this turn may use, of those that are granted; all of them when absent. */
  readonly onlyTools?: readonly string[];
  readonly maxSteps?: number;
  /** Tokens that this turn may take, its delegates' included. */
  readonly maxTokens?: number;
  /** What began it, where that was no message of a person: shown beside what it cost. */
  readonly cause?: TurnCause;
  /** `traceparent` of what its spans are part of; only while tracing is on, and kept so that a turn that goes on is in the same trace. */
  readonly trace?: string;
  /** Whether a call that needs an approval asks the requester, or is denied at once (`no_approver`). */
  readonly approver: "requester" | "none";
}

/** No hidden turns: a job's slot, or the call of another turn that delegated to this one. */
export type TurnCause =
  | { readonly kind: "job"; readonly jobId: string; readonly slot: number }
  | { readonly kind: "webhook"; readonly name: string }
  | {
      readonly kind: "delegate";
      readonly turnId: string;
      readonly callId: string;
      /** How many delegations lie above it, itself included: 1 for a delegate of a person's turn. */
      readonly depth: number;
      /** Session of the turn that delegated, when that keeps one. */
      readonly sessionId?: string;
      /** The turn at the top, which no delegate runs: on its account, and before its person, all of this is. */
      readonly root: { readonly turnId: string; readonly sessionId?: string };
      /** Profiles above it, to which nothing is delegated again. */
      readonly above: readonly string[];
      /** Tokens that the turns above it may take, their delegates' included. */
      readonly limits: readonly { readonly turnId: string; readonly tokens: number }[];
    };

export const plainRequest: TurnRequest = {
  parameters: {},
  clientTools: [],
  clientSystem: [],
  toolsOn: true,
  approver: "requester",
};

/** Where the answer of a turn goes beside its session: a channel, and a recipient in that channel's own words. */
export interface Delivery {
  readonly channel: string;
  readonly recipient: string;
  /** Whoever began the turn tells by itself that it failed. */
  readonly answersOnly?: boolean;
}

/** A kept turn's place in the line of its session, and by what right this process runs it. */
export interface TurnLease {
  readonly owner: string;
  /** Raised by each take-over. */
  readonly fence: number;
  /** Its place in the line. */
  readonly seq: number;
  /** Its own messages are in the tree already. */
  readonly begun: boolean;
  /** Throws when another process has taken the turn over meanwhile: nothing may be done for it here any more. */
  check(): Promise<void>;
}

/** One message in, one answer out, whatever door it came through. */
export interface Turn {
  readonly id: string;
  /** Absent for a turn that keeps nothing: the transcript of the request is then all its history. */
  readonly sessionId?: string;
  readonly principal: Principal;
  /** The door: `websocket`, `openai`, `http`, … */
  readonly channel: string;
  /** The user's text, for commands and for recall. */
  readonly text: string;
  /** The messages before the next step, oldest first, this turn's own included; filled in by `contextWindow` for a kept session. */
  readonly entries: readonly Message[];
  /** What is sent of the time before the entries, where they do not reach back to the beginning. */
  readonly earlier?: { readonly first?: Message; readonly summary?: Message };
  readonly request: TurnRequest;
  /** Answers that the model has given in it so far: while calls run, the number of the one that asked for them. Absent: none. */
  readonly step?: number;
  /** True when an earlier process began this turn: calls of it may have run without leaving a result. */
  readonly resumed: boolean;
  /** What the process that runs a kept turn shows to write for it. */
  readonly lease?: TurnLease;
  readonly delivery?: Delivery;
  /** What is done for it here and now is a part of this. */
  readonly span?: Span;
  readonly signal: AbortSignal;
  /** Runs a wait (for a person, for `Retry-After`) without holding a slot. */
  readonly outsideSlot: <T>(wait: () => Promise<T>) => Promise<T>;
}

export const statusCodes = [
  "queued",
  "step",
  "retry",
  "fallback",
  "breaker",
  "compacting",
  "restarted",
] as const;
export type StatusCode = (typeof statusCodes)[number];

export type TurnEvent =
  /** `logprobs` only in a turn without a session, whose client asked for them. */
  | { readonly type: "text"; readonly text: string; readonly logprobs?: readonly unknown[] }
  | { readonly type: "reasoning"; readonly text: string }
  | {
      readonly type: "status";
      readonly code: StatusCode;
      readonly text: string;
      readonly retryInMs?: number;
      readonly step?: number;
      readonly maxSteps?: number;
    }
  /** The model's message of a step. It is on disk before the next event is asked for, so before any of its tools runs. */
  | {
      readonly type: "message";
      readonly message: AssistantMessage;
      readonly usage: Usage;
      readonly model: string;
    }
  | {
      readonly type: "tool_start";
      readonly callId: string;
      readonly toolName: string;
      readonly argumentsPreview: string;
      /** The earlier decision by which it runs without being asked about. */
      readonly reason?: string;
    }
  | {
      readonly type: "tool_chunk";
      readonly callId: string;
      readonly toolName: string;
      readonly text: string;
    }
  /** Its `message` is the entry of the result; on disk before the model is asked again. */
  | {
      readonly type: "tool_result";
      readonly callId: string;
      readonly toolName: string;
      readonly text: string;
      readonly resultStatus: ResultStatus;
      readonly reason?: string;
      readonly durationMs: number;
      /** For the audit trail alone: the capabilities that the call was handed, and the earlier decision that let it run. */
      readonly lent?: readonly string[];
      readonly grant?: string;
      readonly message: Message;
    }
  | {
      readonly type: "approval";
      readonly approvalId: string;
      readonly callId: string;
      readonly toolName: string;
      readonly argumentsPreview: string;
      /** What a decision for more than this call is about; absent: exactly these arguments. */
      readonly pattern?: string;
      readonly reason: string;
    }
  /** An answer that no model gave (a slash command); ends the turn. */
  | { readonly type: "notice"; readonly text: string }
  /** The last event of a turn that a model answered. `clientCalls` are the calls that the client must answer. */
  | {
      readonly type: "done";
      readonly finishReason: FinishReason;
      readonly usage: Usage;
      readonly model: string;
      readonly clientCalls: readonly ToolCall[];
    };

/** Pulls one turn through; ends after `done` or `notice`, throws `AppError` when the turn failed. */
export type RunTurn = (turn: Turn) => AsyncIterable<TurnEvent>;
export type Middleware = (turn: Turn, next: RunTurn) => AsyncIterable<TurnEvent>;

/** A principal may address its own sessions, the operator any. */
export const mayAddress = (principal: Principal, owner: string) =>
  principal.scope === "operator" || principal.name === owner;
