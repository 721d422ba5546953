import { settingRows } from "../config/load.ts";
import { defaultOf } from "../config/show.ts";
import { settingsOf } from "../sandbox/granted-by.ts";
import type { AnyTool } from "../sandbox/tool.ts";
import type { Command, ExitCode, Invocation } from "./command.ts";
import { version } from "./version.ts";
import { wrap } from "./wrap.ts";

const width = 100;

/** Two columns; the second is wrapped. */
const entry = (left: string, right: string, column: number) => {
  const [first = "", ...rest] = wrap(right, width - column);
  const indent = " ".repeat(column);
  const head =
    left.length + 2 < column ? [`  ${left.padEnd(column - 2)}${first}`] : [`  ${left}`, `${indent}${first}`];
  return [...head, ...rest.map((line) => indent + line)].join("\n");
};

const toolEntry = (tool: AnyTool) => {
  const settings = settingsOf(tool);
  const granted = settings.length === 0 ? "Always there." : `Granted by ${settings.join(" and ")}.`;
  return entry(tool.name, `${tool.description} ${granted}`, 40);
};

/** The whole help: commands, every tool with what grants it, then every setting with its default. */
export function helpText(commands: readonly Command[], tools: readonly AnyTool[]): string {
  const settings = settingRows().map((row) => {
    const fallback = defaultOf(row);
    return entry(row.env, `${row.doc}${fallback ? ` Default: ${fallback}.` : ""}`, 40);
  });
  return [
    `openclaw ${version}: a self-hosted AI agent gateway in one executable.`,
    "",
    "Commands",
    ...commands.map(({ usage, doc }) => entry(usage, doc, 40)),
    "",
    "Tools of the agent",
    ...tools.map(toolEntry),
    "",
    "Settings come from the environment alone; each may be read from a file, which NAME_FILE then names.",
    ...settings,
    "",
    "Exit codes: 0 good, 1 failed while running, 2 bad settings or arguments, 3 a check failed.",
  ]
    .join("\n")
    .replaceAll("`", "");
}

export async function help({ commands }: Invocation): Promise<ExitCode> {
  const { tools } = await import("../tools/index.ts");
  console.log(helpText(commands, tools));
  return 0;
}
