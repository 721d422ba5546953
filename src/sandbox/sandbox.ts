import { AppError, cancelled, publicError } from "../errors.ts";
import type { ToolOffer } from "../llm/llm.ts";
import { sandboxLog as log } from "../telemetry/log.ts";
import { checkArguments } from "./arguments.ts";
import { callPattern } from "./call-pattern.ts";
import type { Capabilities, CapabilityName } from "./capabilities.ts";
import { type After, startDeadline } from "./deadline.ts";
import { settingsOf } from "./granted-by.ts";
import { harmless } from "./harmless.ts";
import { inputSchema } from "./input-schema.ts";
import { shown } from "./paths.ts";
import type { AnyTool, CallContext, Caller, Prepared, ResultStatus, ToolOutput, ToolResult } from "./tool.ts";

/** What is granted: each thing is made for one call, and works until the signal. */
export type Lend = {
  readonly [Name in CapabilityName]?: (caller: Caller, signal: AbortSignal) => Capabilities[Name];
};

export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  readonly needs: readonly CapabilityName[];
  readonly inputSchema: object;
}

export interface Sandbox {
  /** Names of the granted tools; unlike `offers`, it derives no schema. */
  readonly names: readonly string[];
  /** The granted tools as a model is told of them. */
  readonly offers: readonly ToolOffer[];
  describe(): readonly ToolDescription[];
  /** Checks a call against its tool. `problem` is what was wrong with the arguments already when they were read from the model. */
  prepare(name: string, argumentsText: string, problem?: string): Prepared;
}

export interface SandboxOptions {
  readonly tools: readonly AnyTool[];
  readonly lend: Lend;
  readonly timeoutMs: number;
  /** The most that a call may ask for by its own `timeout_seconds`. */
  readonly timeoutMaxMs: number;
  /** How long a call that was stopped may clean up before it is left to itself. */
  readonly graceMs?: number;
  /** The clock of all that; left out, it is the real one. */
  readonly after?: After;
}

const longestResult = 100_000;

const result = (status: ResultStatus, text: string, more: Partial<ToolResult> = {}): ToolResult => ({
  status,
  text,
  images: [],
  ...more,
});

/** Bounded, without control characters, and never empty: a model takes an empty result for a mishap. */
function resultText(text: string): string {
  if (text === "") return "(The tool answered with nothing.)";
  const shown = harmless(text.slice(0, longestResult));
  // What is hidden in a text takes more room when it is shown.
  const left = Math.max(0, text.length - longestResult) + Math.max(0, shown.length - longestResult);
  if (left === 0) return shown;
  const kept = shown.slice(0, longestResult).toWellFormed();
  return `${kept}\n[Cut here: ${left} more characters are left out. Ask for less.]`;
}

function success(output: ToolOutput): ToolResult {
  if (typeof output === "string") return result("ok", resultText(output));
  return result("ok", resultText(output.text), { images: output.images });
}

function failure(tool: AnyTool, error: unknown): ToolResult {
  const { code, message } = publicError(error);
  if (code === "forbidden") return result("denied", resultText(message), { reason: "not_granted" });
  if (!(error instanceof AppError)) log.error("A tool failed.", { tool: tool.name, error });
  return result("error", resultText(message));
}

const refused = (...faults: string[]): Prepared => ({
  ok: false,
  result: result("error", resultText(faults.join("\n"))),
});

/** Seconds that the model asked for, where the tool has such a parameter. */
const askedMs = (input: Readonly<Record<string, unknown>>): number | undefined =>
  typeof input["timeout_seconds"] === "number" ? input["timeout_seconds"] * 1000 : undefined;

/** The tools that are granted, and the one way to run them. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const { lend, timeoutMs, timeoutMaxMs, graceMs = 1000, after } = options;
  const missing = (tool: AnyTool) => tool.needs.filter((need) => lend[need] === undefined);
  const granted = options.tools.filter((tool) => missing(tool).length === 0);
  const names = granted.map((tool) => tool.name);
  const byName = new Map(options.tools.map((tool) => [tool.name, tool]));
  // Derived when first asked for, once: it costs about a millisecond, and not every command needs it.
  let described: readonly ToolDescription[] | undefined;
  let offers: readonly ToolOffer[] | undefined;

  const describe = () =>
    (described ??= granted.map((tool) => ({
      name: tool.name,
      description: tool.description,
      needs: tool.needs,
      inputSchema: inputSchema(tool.input),
    })));

  const offer = ({ name, description, inputSchema: parameters }: ToolDescription): ToolOffer => ({
    name,
    json: JSON.stringify({ type: "function", function: { name, description, parameters } }),
  });

  /** What a tool needs, and what it uses as far as that is granted. */
  const lendable = (tool: AnyTool): readonly CapabilityName[] => [
    ...tool.needs,
    ...(tool.uses ?? []).filter((name) => lend[name] !== undefined),
  ];

  /** What a tool needs and nothing else. */
  function lendTo(tool: AnyTool, caller: Caller, signal: AbortSignal): Capabilities {
    const lent: Partial<Record<CapabilityName, unknown>> = {};
    for (const name of lendable(tool)) lent[name] = lend[name]?.(caller, signal);
    // Its type lets it reach no more than these; all of `needs` are granted, or it would not be run.
    return lent as Capabilities;
  }

  async function run(
    tool: AnyTool,
    input: Readonly<Record<string, unknown>>,
    call: CallContext,
  ): Promise<ToolResult> {
    if (call.signal.aborted) throw cancelled();
    const usualMs = Math.max(timeoutMs, tool.timeoutMs ?? 0);
    const most = Math.min(askedMs(input) ?? usualMs, Math.max(timeoutMs, timeoutMaxMs));
    const ms = tool.ownTime ? Number.POSITIVE_INFINITY : most;
    using deadline = startDeadline(call.signal, ms, graceMs, after);
    const { signal } = deadline;
    const emit = (text: string) => {
      if (!signal.aborted) call.emit(harmless(text));
    };
    try {
      const can = lendTo(tool, call.caller, signal);
      return success(await deadline.race(tool.run(input, can, { caller: call.caller, signal, emit })));
    } catch (error) {
      if (call.signal.aborted) throw cancelled();
      if (!deadline.isOver) return failure(tool, error);
      const why = `${tool.name} was stopped: it took longer than ${ms / 1000} seconds. Ask for less at once.`;
      // A tool that can tell how far it came says so in its error.
      return result("timeout", resultText(error instanceof AppError ? `${why}\n${error.message}` : why));
    }
  }

  function prepare(name: string, argumentsText: string, problem?: string): Prepared {
    const tool = byName.get(name);
    if (tool === undefined) {
      return refused(`There is no tool ${shown(name)}. There are: ${names.join(", ") || "none"}.`);
    }
    if (missing(tool).length > 0) {
      const settings = settingsOf({ needs: missing(tool) }).join(", ");
      const text = `The tool ${name} is not granted here (it needs ${settings}). Do without it.`;
      return { ok: false, result: result("denied", text, { reason: "not_granted" }) };
    }
    if (problem !== undefined) return refused(`Cannot run ${name}:`, problem);
    const checked = checkArguments(tool.input, argumentsText);
    if (!checked.ok) return refused(`Cannot run ${name}:`, ...checked.faults);
    const { input } = checked;
    try {
      const pattern = callPattern(tool, input);
      return {
        ok: true,
        name,
        effect: tool.effect(input),
        argumentsJson: JSON.stringify(input),
        lends: lendable(tool),
        resumes: tool.resumes === true,
        ...(pattern !== undefined && { pattern }),
        run: (call) => run(tool, input, call),
      };
    } catch (error) {
      log.error("The effect of a call could not be told.", { tool: name, error });
      const text = `The call of ${name} was denied: what it would do could not be told.`;
      return { ok: false, result: result("denied", text, { reason: "not_granted" }) };
    }
  }

  return {
    names,
    get offers() {
      return (offers ??= describe().map(offer));
    },
    describe,
    prepare,
  };
}
