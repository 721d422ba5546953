import type { CapabilityName } from "./capabilities.ts";
import type { AnyTool } from "./tool.ts";

/** The setting that grants each thing that can be lent; null: it needs none. */
export const grantedBy: Readonly<Record<CapabilityName, string | null>> = {
  read: "OPENCLAW_ALLOWED_READ_ROOTS",
  write: "OPENCLAW_ALLOWED_WRITE_ROOTS",
  notes: null,
  project: "OPENCLAW_PROJECT",
  sessions: null,
  time: null,
  shell: "OPENCLAW_ALLOW_SHELL",
  code: "OPENCLAW_ALLOW_CODE",
  git: "OPENCLAW_ALLOW_GIT",
  web: "OPENCLAW_ALLOW_WEB_FETCH",
  search: "OPENCLAW_ALLOW_WEB_SEARCH",
  browse: "OPENCLAW_ALLOW_BROWSER",
  pdf: "OPENCLAW_ALLOW_PDF",
  databases: "OPENCLAW_ALLOW_DATABASE",
  images: "OPENCLAW_ALLOW_IMAGE_GEN",
  mail: "OPENCLAW_ALLOW_EMAIL",
  delegate: "OPENCLAW_ALLOW_DELEGATION",
  jobs: "OPENCLAW_ALLOW_SCHEDULE",
};

/** The settings that a tool needs, in the order of its needs; empty: it is always there. */
export const settingsOf = (tool: Pick<AnyTool, "needs">): readonly string[] =>
  tool.needs.flatMap((need) => grantedBy[need] ?? []);

/** The parameters of a tool as people write them: `path`, `from?`. */
export const parametersOf = ({ input }: Pick<AnyTool, "input">): readonly string[] =>
  Object.entries(input.entries).map(([name, schema]) => (schema.type === "optional" ? `${name}?` : name));
