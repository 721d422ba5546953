import type { SettingRow } from "../setting-row.ts";
import { flag, list, text, words } from "../values.ts";

const languages = ["javascript", "python", "bash", "node"] as const;

/** One flag a tool: a tool is there for the model only when its flag is on. */
export const grantRows = {
  allowShell: {
    env: "OPENCLAW_ALLOW_SHELL",
    schema: flag,
    fallback: "false",
    doc: "Lets the `shell` tool run commands in the workspace, in the sandbox.",
    alias: ["OpenClaw__Tooling__AllowShell"],
  },
  shellCommands: {
    env: "OPENCLAW_ALLOWED_SHELL_COMMANDS",
    schema: list,
    fallback: "",
    doc: "Commands that `shell` may run, separated by commas, such as `ls,git status,npm run *`: a name alone allows it with any arguments, several words exactly those, `*` any one word and at the end any more. Then only pipelines of literal words are accepted, started without `sh`. An allowed interpreter is everything. Empty: all, once `shell` is allowed.",
    alias: ["OpenClaw__Tooling__AllowedShellCommandGlobs"],
  },
  allowCode: {
    env: "OPENCLAW_ALLOW_CODE",
    schema: words(languages),
    fallback: "",
    doc: "Languages of `code_exec`, separated by commas: `javascript` (embedded), `python`, `bash`, `node` (processes in the sandbox, where the host has them).",
  },
  allowGit: {
    env: "OPENCLAW_ALLOW_GIT",
    schema: flag,
    fallback: "false",
    doc: "Lets the `git` tool work on repositories in the roots.",
  },
  allowGitFetch: {
    env: "OPENCLAW_ALLOW_GIT_FETCH",
    schema: flag,
    fallback: "false",
    doc: "Lets `git` clone, fetch and pull.",
  },
  allowGitPush: {
    env: "OPENCLAW_ALLOW_GIT_PUSH",
    schema: flag,
    fallback: "false",
    doc: "Lets `git` push.",
  },
  allowWebFetch: {
    env: "OPENCLAW_ALLOW_WEB_FETCH",
    schema: flag,
    fallback: "false",
    doc: "Lets `web_fetch` read pages; directly, never through a proxy of the environment (`HTTP_PROXY`).",
  },
  allowWebSearch: {
    env: "OPENCLAW_ALLOW_WEB_SEARCH",
    schema: flag,
    fallback: "false",
    doc: "Lets `web_search` ask the search provider.",
  },
  allowBrowser: {
    env: "OPENCLAW_ALLOW_BROWSER",
    schema: flag,
    fallback: "false",
    doc: "Lets the `browser` tool use Chromium.",
    alias: ["OpenClaw__Tooling__EnableBrowserTool"],
  },
  allowBrowserScript: {
    env: "OPENCLAW_ALLOW_BROWSER_SCRIPT",
    schema: flag,
    fallback: "false",
    doc: "Lets `browser` run scripts in pages (`evaluate`).",
    alias: ["OpenClaw__Tooling__AllowBrowserEvaluate"],
  },
  allowPdf: {
    env: "OPENCLAW_ALLOW_PDF",
    schema: flag,
    fallback: "false",
    doc: "Lets `pdf_read` read PDF files of the read roots, and of addresses where `web_fetch` is allowed.",
  },
  allowDatabase: {
    env: "OPENCLAW_ALLOW_DATABASE",
    schema: flag,
    fallback: "false",
    doc: "Lets `database` query SQLite files of the read roots and the connections of OPENCLAW_DATABASES.",
  },
  allowEmail: {
    env: "OPENCLAW_ALLOW_EMAIL",
    schema: flag,
    fallback: "false",
    doc: "Lets `email` send mail; needs OPENCLAW_SMTP_URL, OPENCLAW_EMAIL_FROM and OPENCLAW_EMAIL_RECIPIENTS.",
  },
  allowImageGen: {
    env: "OPENCLAW_ALLOW_IMAGE_GEN",
    schema: flag,
    fallback: "false",
    doc: "Lets `image_gen` make pictures in the write roots.",
  },
  allowDelegation: {
    env: "OPENCLAW_ALLOW_DELEGATION",
    schema: flag,
    fallback: "false",
    doc: "Lets `delegate_agent` hand tasks to the profiles of OPENCLAW_AGENTS.",
    alias: ["OpenClaw__Delegation__Enabled"],
  },
  allowSchedule: {
    env: "OPENCLAW_ALLOW_SCHEDULE",
    schema: flag,
    fallback: "false",
    doc: "Lets `schedule` make jobs.",
  },
  project: {
    env: "OPENCLAW_PROJECT",
    schema: text,
    doc: "Name of the project whose notes `project_memory` keeps; without it there is no such tool.",
    alias: ["OpenClaw__Memory__ProjectId"],
  },
} as const satisfies Record<string, SettingRow>;
