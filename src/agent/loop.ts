import { AppError, cancelled } from "../errors.ts";
import type { Llm, LlmEvent, LlmRequest, ToolOffer } from "../llm/llm.ts";
import {
  addUsage,
  type Message,
  noUsage,
  readAssistant,
  systemMessage,
  type ToolCall,
} from "../llm/message.ts";
import { limited } from "../sandbox/limited.ts";
import { count, firstTokenSeconds, turnSeconds } from "../telemetry/metrics.ts";
import { names, spanNames } from "../telemetry/names.ts";
import { accountOf } from "./account.ts";
import { type Acting, act } from "./act.ts";
import { history, unansweredCalls } from "./history.ts";
import { bytesOf } from "./rounds.ts";
import type { RunTurn, Turn, TurnEvent } from "./turn.ts";

export interface AgentParts extends Acting {
  readonly llm: Llm;
  /** The system text for a turn. */
  readonly prompt: (turn: Turn) => Promise<string>;
  /** Model calls that one turn may make. */
  readonly maxSteps: number;
  /** Bytes of messages that fit the model's window beside its reply. */
  readonly contextBytes: number;
  /** The same of the model that is asked, where its provider tells. */
  readonly modelBytes?: (model: string | undefined, signal: AbortSignal) => Promise<number | undefined>;
}

type Answer = Extract<LlmEvent, { type: "answer" }>;

/** Of two tools with one name the client's wins for this turn. */
function offers(turn: Turn, ours: readonly ToolOffer[]): readonly ToolOffer[] {
  const { clientTools, toolsOn } = turn.request;
  if (!toolsOn) return [];
  if (clientTools.length === 0) return ours;
  const theirs = new Set(clientTools.map((tool) => tool.name));
  return [...ours.filter((tool) => !theirs.has(tool.name)), ...clientTools];
}

/** The calls of an earlier process that have no result yet. */
function leftOver(entries: readonly Message[]): readonly ToolCall[] {
  const ids = unansweredCalls(entries);
  const last = entries.findLast((entry) => entry.role === "assistant");
  if (ids.length === 0 || last === undefined) return [];
  return readAssistant(last).calls.filter((call) => ids.includes(call.id));
}

/** A tool that the client demands is demanded once in a turn: behind its first step the model must be free to answer. */
function parametersOf({ request, step = 1 }: Turn): LlmRequest["parameters"] {
  if (step === 1) return request.parameters;
  const { tool_choice: _, ...rest } = request.parameters;
  return rest;
}

/** The agent: asks the model, runs the tools it asks for, and again, until it asks for none. */
export function createAgent(parts: AgentParts): RunTurn {
  /** What the model is asked in the next step. */
  async function question(turn: Turn, system: Message, entries: readonly Message[]): Promise<LlmRequest> {
    const tools = offers(turn, limited(parts.sandbox, turn.request.onlyTools).offers);
    const taken = bytesOf([system]) + tools.reduce((sum, tool) => sum + tool.json.length, 0);
    const { model } = turn.request;
    const told = (await parts.modelBytes?.(model, turn.signal)) ?? parts.contextBytes;
    const most = Math.min(told, parts.contextBytes);
    // In a window that the tools alone nearly fill the question is still asked.
    const room = Math.max(most - taken, most / 4);
    return {
      messages: [system, ...history({ ...turn.earlier, entries }, room)],
      tools,
      parameters: parametersOf(turn),
      signal: turn.signal,
      outsideSlot: turn.outsideSlot,
      account: accountOf(turn),
      ...(model !== undefined && { model }),
      ...(turn.span && { span: turn.span }),
    };
  }

  /** One generator for the whole turn: every token passes it, and each one more would cost as much again. */
  async function* runAgent(turn: Turn): AsyncIterable<TurnEvent> {
    count("totalTurns");
    const begin = performance.now();
    const agentName = turn.request.agent ?? "openclaw";
    const span = turn.span?.child(spanNames.agent(agentName), "internal", {
      [names.operation]: "invoke_agent",
      [names.agent]: agentName,
      [names.conversation]: turn.sessionId,
    });
    if (span) turn = { ...turn, span };
    let isTold = false;
    let fault: string | undefined;
    try {
      const system = systemMessage(await parts.prompt(turn));
      const { toolsOn, onlyTools } = turn.request;
      const clientTools = new Set(toolsOn ? turn.request.clientTools.map((tool) => tool.name) : []);
      const entries = [...turn.entries];
      const maxSteps = Math.min(parts.maxSteps, turn.request.maxSteps ?? parts.maxSteps);
      // A model may call what it was not offered.
      const acting = { ...parts, sandbox: limited(parts.sandbox, toolsOn ? onlyTools : []) };
      let usage = noUsage;
      let model = turn.request.model ?? "";
      let calls = turn.resumed ? leftOver(entries) : [];

      for (let step = turn.step ?? 0; ;) {
        if (calls.length === 0) {
          if (++step > maxSteps) throw stepLimit(maxSteps);
          if (turn.signal.aborted) throw cancelled();
          const text = `step ${step} of at most ${maxSteps}`;
          yield { type: "status", code: "step", text, step, maxSteps };
          let answer: Answer | undefined;
          for await (const event of parts.llm(await question({ ...turn, step }, system, entries))) {
            if (event.type === "answer") {
              answer = event;
              continue;
            }
            if (!isTold && event.type === "text") {
              isTold = true;
              firstTokenSeconds.observe((performance.now() - begin) / 1000);
            }
            if (span && event.type === "status")
              span.event(event.code, { [names.text]: event.text, [names.retryInMs]: event.retryInMs });
            yield event;
          }
          if (answer === undefined) throw noAnswer();
          const { message } = answer;
          usage = addUsage(usage, answer.usage);
          model = answer.model;
          calls = message.calls;
          entries.push(message);
          yield { type: "message", message, usage: answer.usage, model };
          if (calls.length === 0) {
            yield { type: "done", finishReason: answer.finishReason, usage, model, clientCalls: [] };
            return;
          }
        }
        const ours = calls.filter((call) => !clientTools.has(call.name));
        for await (const event of act({ ...turn, step }, ours, acting)) {
          if (event.type === "tool_result") entries.push(event.message);
          yield event;
        }
        const clientCalls = calls.filter((call) => clientTools.has(call.name));
        if (clientCalls.length > 0) {
          yield { type: "done", finishReason: "tool_calls", usage, model, clientCalls };
          return;
        }
        calls = [];
        // What an earlier process left is answered now; from here on every call is of this one.
        if (turn.resumed) turn = { ...turn, resumed: false };
      }
    } catch (error) {
      if (!turn.signal.aborted) count("totalFailedTurns");
      fault = turn.signal.aborted ? "cancelled" : error instanceof AppError ? error.code : "internal";
      throw error;
    } finally {
      turnSeconds.observe((performance.now() - begin) / 1000, fault ?? "ok");
      span?.end(fault);
    }
  }

  return runAgent;
}

const noAnswer = () => new AppError("provider_error", "The model's stream ended without an answer.");

const stepLimit = (most: number) =>
  new AppError(
    "step_limit",
    `The turn was ended after ${most} model calls without an answer. What it did so far is kept: say "go on", or raise OPENCLAW_MAX_ITERATIONS (or the limit of its agent or job).`,
  );
