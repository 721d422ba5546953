import { agentList } from "../agent-list.ts";
import type { SettingRow } from "../setting-row.ts";
import { choice, list, seconds, share, text, whole } from "../values.ts";

export const agentRows = {
  systemPrompt: {
    env: "OPENCLAW_SYSTEM_PROMPT",
    schema: text,
    doc: "Joined to our own system message.",
    alias: ["OpenClaw__Llm__SystemPrompt"],
  },
  maxSteps: {
    env: "OPENCLAW_MAX_ITERATIONS",
    schema: whole(1, 1000),
    fallback: "25",
    doc: "Model calls that one turn may make.",
    alias: ["OpenClaw__MaxIterations"],
  },
  parallelCalls: {
    env: "OPENCLAW_PARALLEL_TOOL_CALLS",
    schema: whole(1, 64),
    fallback: "8",
    doc: "Tool calls of one step that run side by side.",
  },
  autonomy: {
    env: "OPENCLAW_AUTONOMY",
    schema: choice(["readonly", "supervised", "full"]),
    fallback: "supervised",
    doc: "`readonly`: nothing that changes anything; `supervised`: calls that change files, data or the outside ask first; `full`: none asks.",
    alias: ["OpenClaw__Tooling__AutonomyMode"],
  },
  approvalTools: {
    env: "OPENCLAW_APPROVAL_TOOLS",
    schema: list,
    fallback: "",
    doc: "Tools that ask as well, whatever the autonomy says.",
    alias: ["OpenClaw__Tooling__ApprovalRequiredTools"],
  },
  approvalTimeoutMs: {
    env: "OPENCLAW_APPROVAL_TIMEOUT_SECONDS",
    schema: seconds(),
    fallback: "300",
    doc: "Seconds that a person has to decide.",
    alias: ["OpenClaw__Tooling__ToolApprovalTimeoutSeconds"],
  },
  compactionShare: {
    env: "OPENCLAW_COMPACTION_SHARE",
    schema: share(0.95),
    fallback: "0.8",
    doc: "Share of the context window beyond which the model sums up the older messages of a session; nothing is deleted. 0: never.",
  },
  agents: {
    env: "OPENCLAW_AGENTS",
    live: true,
    schema: agentList,
    fallback: "",
    doc: 'Specialists, as a JSON list such as `[{"name": "researcher", "description": "…", "systemPrompt": "…", "tools": ["web_fetch"]}]`; also models on `/v1/models`.',
  },
  delegationDepth: {
    env: "OPENCLAW_DELEGATION_DEPTH",
    schema: whole(1, 8),
    fallback: "2",
    doc: "How deep agents may delegate.",
  },
  delegationWidth: {
    env: "OPENCLAW_DELEGATION_WIDTH",
    schema: whole(1, 64),
    fallback: "4",
    doc: "Delegates of one turn that work at once.",
  },
  recall: {
    env: "OPENCLAW_RECALL",
    schema: whole(0, 20),
    fallback: "0",
    doc: "Notes of the `memory` tool that are offered to the model when they match what the user says.",
  },
} as const satisfies Record<string, SettingRow>;
