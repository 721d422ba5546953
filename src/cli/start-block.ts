import type { App } from "../assemble.ts";
import type { Note } from "../config/notes.ts";
import type { Settings } from "../config/settings.ts";
import { version } from "./version.ts";

interface Started {
  readonly app: Pick<
    App,
    "channels" | "dataDir" | "madeToken" | "model" | "tokenFile" | "tools" | "warnings"
  >;
  readonly url: string;
  readonly settings: Settings;
  readonly notes: readonly Note[];
  readonly advice: readonly string[];
}

const line = (name: string, text: string) => `  ${name.padEnd(8)} ${text}`;

/** What a person reads when the server is up: where it is, what answers, what is switched on, what to mend. */
export function startBlock({ app, url, settings, notes, advice }: Started): string {
  const { sandbox, agent } = settings;
  const warnings = [...app.warnings, ...notes.map(({ text }) => text)];
  return [
    `openclaw ${version}`,
    line("chat", `${url}/chat`),
    line("api", `${url}/v1`),
    line("model", app.model),
    line("tools", `${app.tools.join(", ") || "none"} (autonomy: ${agent.autonomy})`),
    ...(sandbox.readRoots.length > 0 ? [line("reads", sandbox.readRoots.join(", "))] : []),
    ...(sandbox.writeRoots.length > 0 ? [line("writes", sandbox.writeRoots.join(", "))] : []),
    ...(app.channels.length > 0 ? [line("channels", app.channels.join(", "))] : []),
    line("data", app.dataDir),
    ...(app.madeToken === undefined
      ? []
      : [line("token", `${app.madeToken} (made now, and shown only this once)`)]),
    ...(app.tokenFile === undefined ? [] : [line("token", `the one kept in ${app.tokenFile}`)]),
    ...adviseGrant(settings).map((text) => line("hint", text)),
    ...advice.map((text) => line("hint", text)),
    ...warnings.map((text) => line("warning", text)),
  ].join("\n");
}

const adviseGrant = ({ sandbox }: Settings) =>
  sandbox.workspace !== undefined && sandbox.readRoots.length + sandbox.writeRoots.length === 0
    ? [
        "OPENCLAW_WORKSPACE grants nothing by itself: OPENCLAW_ALLOWED_READ_ROOTS=. lets tools read it, OPENCLAW_ALLOWED_WRITE_ROOTS=. change it.",
      ]
    : [];

/** Names the line that would use a model server which already runs here; it is never used silently. */
export async function adviseLocalModel(): Promise<readonly string[]> {
  const { findLocalModels } = await import("../llm/local-models.ts");
  const found = await findLocalModels(AbortSignal.timeout(300));
  return found.map(({ name, setting }) => `${name} runs on this machine: ${setting} uses it.`);
}
