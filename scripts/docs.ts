import { join } from "node:path";
import { settingRows } from "../src/config/load.ts";
import { defaultOf } from "../src/config/show.ts";
import { parametersOf, settingsOf } from "../src/sandbox/granted-by.ts";
import { tools } from "../src/tools/index.ts";

export const readmePath = join(import.meta.dir, "../README.md");

const cell = (text: string) => text.replaceAll("|", "\\|");

/** Names of OpenTelemetry's own standard: who uses them knows them, and --help has them all. */
const isStandard = (env: string) => env.startsWith("OTEL_") && env !== "OTEL_EXPORTER_OTLP_ENDPOINT";

/** Every setting as a Markdown table; the standard ones in one row. */
function settingsTable() {
  const rows = settingRows();
  const standard = rows.filter(({ env }) => isStandard(env)).map(({ env }) => `\`${env.slice(5)}\``);
  return [
    "| setting | default | meaning |",
    "|---|---|---|",
    ...rows
      .filter(({ env }) => !isStandard(env))
      .map((row) => `| \`${row.env}\` | ${cell(defaultOf(row))} | ${cell(row.doc)} |`),
    `| \`OTEL_…\` | the standard's | More of OpenTelemetry's own names (\`openclaw --help\`): ${standard.join(", ")} |`,
  ].join("\n");
}

/** Every tool as a Markdown table. */
const toolsTable = () =>
  [
    "| tool | parameters | granted by | what it does |",
    "|---|---|---|---|",
    ...tools.map((tool) => {
      const settings = settingsOf(tool).map((name) => `\`${name}\``);
      const parameters = parametersOf(tool).map((name) => `\`${name}\``);
      return `| \`${tool.name}\` | ${parameters.join(" ")} | ${settings.join(" ") || "always there"} | ${cell(tool.description)} |`;
    }),
  ].join("\n");

const generated: Readonly<Record<string, () => string>> = { settings: settingsTable, tools: toolsTable };

/** The README with its generated parts written anew, in the format of the project. Throws when a pair of markers is missing. */
export async function renderReadme(text: string): Promise<string> {
  const filled = Object.entries(generated).reduce((before, [name, make]) => {
    const [begin, end] = [`<!-- ${name}: written by bun run docs -->`, `<!-- end of ${name} -->`];
    const [head, rest] = before.split(begin);
    const tail = rest?.split(end)[1];
    if (head === undefined || tail === undefined) throw new Error(`README.md lacks ${begin} … ${end}.`);
    return `${head}${begin}\n\n${make()}\n\n${end}${tail}`;
  }, text);
  return format(filled);
}

async function format(markdown: string): Promise<string> {
  const formatter = Bun.spawn([process.execPath, "fmt", "--stdin-filepath=README.md"], {
    cwd: join(import.meta.dir, ".."),
    stdin: new Blob([markdown]),
    stderr: "inherit",
  });
  const formatted = await new Response(formatter.stdout).text();
  if ((await formatter.exited) !== 0) throw new Error("README.md cannot be formatted.");
  return formatted;
}

if (import.meta.main) {
  const before = await Bun.file(readmePath).text();
  const after = await renderReadme(before);
  if (!process.argv.includes("--check")) await Bun.write(readmePath, after);
  else if (before !== after) {
    console.error("README.md is stale: bun run docs writes it anew.");
    process.exit(1);
  }
}
