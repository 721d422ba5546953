import type * as v from "valibot";
import { llmRows } from "./rows/llm.ts";
import { agentRows } from "./rows/agent.ts";
import { middlewareRows } from "./rows/middleware.ts";
import { grantRows } from "./rows/grants.ts";
import { processRows } from "./rows/processes.ts";
import { sandboxRows } from "./rows/sandbox.ts";
import { serviceRows } from "./rows/services.ts";
import { storeRows } from "./rows/store.ts";
import { turnsRows } from "./rows/turns.ts";
import { gatewayRows } from "./rows/gateway.ts";
import { channelRows } from "./rows/channels.ts";
import { schedulerRows } from "./rows/scheduler.ts";
import { clientRows } from "./rows/client.ts";
import { telemetryRows } from "./rows/telemetry.ts";
import type { SettingRow } from "./setting-row.ts";

/**
 * Every setting, in groups named after the folder that receives them. `--help`, the README and the `Settings` type are
 * made from it. A new setting is one entry in the rows of its group.
 */
export const settingsTable = {
  llm: llmRows,
  agent: agentRows,
  middleware: middlewareRows,
  sandbox: { ...sandboxRows, ...grantRows, ...processRows, ...serviceRows },
  store: storeRows,
  turns: turnsRows,
  channels: channelRows,
  scheduler: schedulerRows,
  gateway: gatewayRows,
  client: clientRows,
  telemetry: telemetryRows,
} as const satisfies Record<string, Record<string, SettingRow>>;

type Table = typeof settingsTable;
type Value<Row extends SettingRow> = Row extends { fallback: unknown }
  ? v.InferOutput<Row["schema"]>
  : v.InferOutput<Row["schema"]> | undefined;

/** The checked values, by group and name. */
export type Settings = {
  readonly [Group in keyof Table]: {
    readonly [Name in keyof Table[Group]]: Table[Group][Name] extends SettingRow
      ? Value<Table[Group][Name]>
      : never;
  };
};
