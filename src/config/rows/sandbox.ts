import type { SettingRow } from "../setting-row.ts";
import { list, timeout, text } from "../values.ts";

export const sandboxRows = {
  workspace: {
    env: "OPENCLAW_WORKSPACE",
    schema: text,
    path: "start",
    doc: "Folder where tools work; must exist. Grants nothing by itself.",
    alias: ["OpenClaw__Tooling__WorkspaceRoot"],
  },
  readRoots: {
    env: "OPENCLAW_ALLOWED_READ_ROOTS",
    schema: list,
    fallback: "",
    path: "workspace",
    doc: "Folders that file tools may read, separated by commas; `.` is the workspace.",
    alias: ["OpenClaw__Tooling__AllowedReadRoots"],
  },
  writeRoots: {
    env: "OPENCLAW_ALLOWED_WRITE_ROOTS",
    schema: list,
    fallback: "",
    path: "workspace",
    doc: "Folders that file tools may write, separated by commas; `.` is the workspace.",
    alias: ["OpenClaw__Tooling__AllowedWriteRoots"],
  },
  timeoutMs: {
    env: "OPENCLAW_TOOL_TIMEOUT_SECONDS",
    schema: timeout,
    fallback: "30",
    doc: "Seconds that a tool call may take; `image_gen` has 180 where this is less.",
    alias: ["OpenClaw__Tooling__ToolTimeoutSeconds"],
  },
  timeoutMaxMs: {
    env: "OPENCLAW_TOOL_TIMEOUT_MAX_SECONDS",
    schema: timeout,
    fallback: "600",
    doc: "Seconds that a call may ask for itself; the most that any tool has beyond the setting above.",
  },
} as const satisfies Record<string, SettingRow>;
