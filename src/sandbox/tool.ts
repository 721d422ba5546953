import type * as v from "valibot";
import type { CanDelegate } from "./can-delegate.ts";
import type { Capabilities, CapabilityName } from "./capabilities.ts";

export const resultStatuses = ["ok", "error", "denied", "timeout"] as const;
export type ResultStatus = (typeof resultStatuses)[number];

/** What a call would do: what approvals and autonomy go by. Fetching a public page or searching `reads`. */
export type Effect = "reads" | "changes" | "reaches_out";

export type ToolOutput = string | { readonly text: string; readonly images: readonly string[] };

/** Who a call is for. */
export interface Caller {
  readonly turnId: string;
  readonly callId: string;
  /** Which answer of the turn asked for it: models use an id of a call again in a later one. */
  readonly step?: number | undefined;
  readonly sessionId?: string;
  readonly principal: string;
  /** The only tools that its turn may use; what a call begins elsewhere may have no more. Absent: all that are granted. */
  readonly onlyTools?: readonly string[];
  /** Profile that runs the turn; the default agent when absent. */
  readonly agent?: string;
  /** The most tokens that its turn or one above it may take; absent: no limit of their own. */
  readonly maxTokens?: number;
  /** `none`: its turn has nobody who could be asked, nor has what a call begins elsewhere. */
  readonly approver?: "requester" | "none";
  /** What the agent that runs the turn does for the call by itself, where it delegates at all. */
  readonly delegate?: CanDelegate;
}

/** What a running tool knows of its call; `emit` shows a person how far it is. */
export interface CallContext {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  emit(text: string): void;
}

export type ToolInput = v.ObjectSchema<v.ObjectEntries, undefined>;

/** What a tool is handed: all that it needs, and what it uses as far as that is granted. */
export type Lent<Need extends CapabilityName, Use extends CapabilityName> = Pick<Capabilities, Need> &
  Partial<Pick<Capabilities, Use>>;

/** A tool as one object: the model's JSON schema and the types are derived from `input`, `can` holds what `needs` names. */
export interface Tool<
  Input extends ToolInput = ToolInput,
  Need extends CapabilityName = CapabilityName,
  Use extends CapabilityName = CapabilityName,
> {
  readonly name: string;
  readonly description: string;
  /** The tool is there only when all of them are granted. */
  readonly needs: readonly Need[];
  /** Handed over where they are granted; the tool is there without them, and says what it cannot do. */
  readonly uses?: readonly Use[];
  effect(input: v.InferOutput<Input>): Effect;
  /**
   * What a decision for more than this call is about, in words that a person reads, such as `git status`. Undefined, or
   * without this: exactly these arguments. A call that runs something else (a shell, an interpreter) says nothing here.
   * False: the same arguments mean something else another time (a click, wherever that page is by then), so each call
   * is decided by itself.
   */
  pattern?(input: v.InferOutput<Input>): string | false | undefined;
  /** After a crash the call is run again also where it may have begun: it finds and goes on with what it began. */
  readonly resumes?: true;
  /** Its time-out where OPENCLAW_TOOL_TIMEOUT_SECONDS is less; OPENCLAW_TOOL_TIMEOUT_MAX_SECONDS bounds it. */
  readonly timeoutMs?: number;
  /** It sees to its time by itself, and ends when its signal says so: no time-out is set for it. */
  readonly ownTime?: true;
  readonly input: Input;
  run(input: v.InferOutput<Input>, can: Lent<Need, Use>, call: CallContext): Promise<ToolOutput>;
}

/** A tool of any input: `run` takes what its own `input` let through, which is `createSandbox`'s business. */
export type AnyTool = Tool;

/** Writes a tool down with its types inferred from `input` and `needs`. */
export const defineTool = <
  const Input extends ToolInput,
  const Need extends CapabilityName,
  const Use extends CapabilityName = never,
>(
  tool: Tool<Input, Need, Use>,
): Tool<Input, Need, Use> => tool;

/** What the model reads of a call that ended, however it ended. */
export interface ToolResult {
  readonly status: ResultStatus;
  readonly text: string;
  readonly images: readonly string[];
  /** Why it was denied: `no_approver`, `expired`, `readonly`, `not_granted`, or a person's note. */
  readonly reason?: string;
}

/** A call that was checked against its tool and may be run, or the result that says why not. */
export type Prepared =
  | {
      readonly ok: true;
      readonly name: string;
      readonly effect: Effect;
      /** The checked arguments as JSON text: what an approval shows and what runs. */
      readonly argumentsJson: string;
      /** What the call will be handed. */
      readonly lends: readonly CapabilityName[];
      /** See `callPattern`. */
      readonly pattern?: string;
      readonly resumes: boolean;
      run(call: CallContext): Promise<ToolResult>;
    }
  | { readonly ok: false; readonly result: ToolResult };
