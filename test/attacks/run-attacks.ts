import type { HeardResult, ToolRun } from "../helpers/tool-run.ts";
import type { Attack } from "./attack.ts";
import { canary } from "./place.ts";

/** Calls of one turn; and turns side by side, each in a session of its own. */
const callsAtOnce = 12;
const sessionsAtOnce = 4;
/** A result of a tool, and what is said when it is cut. */
const longestResult = 100_200;
const statuses = ["ok", "error", "denied", "timeout"];

/** What must not reach a model or a log: control characters, signs that nobody sees, marks of a chat. */
const unclean =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]|<\|im_start\|>|\[INST\]|<\/tool_result>|<system-reminder>/u;

/** Where a text shows one of the secrets; undefined when it shows none. */
export function leak(text: string, secrets: readonly string[]): string | undefined {
  const found = [canary, ...secrets].find((secret) => text.includes(secret));
  if (found === undefined) return undefined;
  const at = text.indexOf(found);
  return text.slice(Math.max(0, at - 60), at + 60);
}

/** What is wrong with how an attack ended; undefined when it was refused or bounded as it must be. */
function faultOf(
  attack: Attack,
  results: readonly HeardResult[],
  secrets: readonly string[],
): string | undefined {
  for (const { status, text, chunks } of results) {
    if (!statuses.includes(status)) return `ended as ${status}`;
    if (text === "") return "said nothing";
    if (text.length > longestResult) return `said ${text.length} characters`;
    const shown = leak(text + chunks, secrets);
    if (shown !== undefined) return `leaked: ${shown}`;
    const dirty = unclean.exec(text) ?? unclean.exec(chunks);
    if (dirty) return `let through ${JSON.stringify(dirty[0])}`;
    if (attack.never?.test(text)) return `said ${attack.never}: ${text.slice(0, 300)}`;
  }
  const last = results.at(-1);
  if (last === undefined) return "gave no result";
  // A program that says that it could not is a call that went well.
  if (attack.refused && last.status === "ok" && !/\bexit code [1-9]/.test(last.text))
    return `was let through: ${last.text.slice(0, 300)}`;
  if (attack.says && !attack.says.test(last.text)) return `said ${last.text.slice(0, 300)}`;
  return undefined;
}

export interface Outcome {
  readonly attack: Attack;
  readonly results: readonly HeardResult[];
  readonly fault: string | undefined;
}

export interface RunOptions {
  /** Beside the canary. */
  readonly secrets: readonly string[];
  /** Told after each attack that ran by itself. */
  readonly after?: (attack: Attack, ms: number) => void;
}

/** Runs attacks as a model would ask for them: many in a turn, some sessions side by side, and then those that run alone. */
export async function runAttacks(
  run: ToolRun["run"],
  attacks: readonly Attack[],
  { secrets, after }: RunOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const add = (attack: Attack, results: readonly HeardResult[]) =>
    outcomes.push({ attack, results, fault: faultOf(attack, results, secrets) });

  const together = async (group: readonly Attack[]) => {
    const results = await run(
      group.map(({ tool: name, calls: [first = {}] }) => ({ name, arguments: first })),
    );
    // They end in any order: each result is found by the place of its call.
    for (const [index, attack] of group.entries())
      add(
        attack,
        results.filter(({ callId }) => callId === `call_${index}`),
      );
  };
  const oneByOne = async (attack: Attack) => {
    const sessionId = `attack-${Bun.randomUUIDv7()}`;
    const results: HeardResult[] = [];
    for (const call of attack.calls)
      results.push(...(await run([{ name: attack.tool, arguments: call }], { sessionId })));
    add(attack, results);
  };

  const single = attacks.filter(({ alone, calls }) => !alone && calls.length === 1);
  // Who must come to its end is not to lose its time to the others.
  const [crowd, sure] = [single.filter(({ says }) => !says), single.filter(({ says }) => says)];
  const groups: (() => Promise<void>)[] = [];
  for (let at = 0; at < crowd.length; at += callsAtOnce) {
    const group = crowd.slice(at, at + callsAtOnce);
    groups.push(() => together(group));
  }
  for (const attack of attacks)
    if (!attack.alone && attack.calls.length > 1) groups.push(() => oneByOne(attack));
  const queue = groups.values();
  const work = async () => {
    for (const act of queue) await act();
  };
  await Promise.all(Array.from({ length: sessionsAtOnce }, work));
  if (sure.length > 0) await together(sure);
  for (const attack of attacks.filter(({ alone }) => alone)) {
    const begin = performance.now();
    await oneByOne(attack);
    after?.(attack, performance.now() - begin);
  }
  return outcomes;
}
