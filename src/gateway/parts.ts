import type { Hono } from "hono";
import type { Approvals } from "../agent/approvals.ts";
import type { RunTurn } from "../agent/turn.ts";
import type { Pairings } from "../channels/pairing.ts";
import type { Models } from "../llm/llm.ts";
import type { Jobs } from "../scheduler/jobs.ts";
import type { AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import type { Gauge } from "../telemetry/gather.ts";
import type { Turns } from "../turns/turns.ts";

export interface GatewaySettings {
  readonly bindAddress: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The operator's token; without it every caller on this machine is the operator. */
  readonly authToken?: string | undefined;
  readonly clientTokens: readonly { readonly name: string; readonly token: string }[];
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly allowQueryToken: boolean;
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  /** HTTP requests at once; absent: no limit. */
  readonly maxRequests?: number;
  /** Of one WebSocket; 0: no limit. */
  readonly messagesPerMinute: number;
  /** What may wait for one slow reader. */
  readonly sendBufferBytes: number;
}

export interface OfferedTool {
  readonly name: string;
  readonly description: string;
  readonly needs: readonly string[];
  /** JSON schema of its arguments. */
  readonly inputSchema: unknown;
}

/** What the gateway knows of the channels. */
export interface ChannelDesk {
  /** Their webhooks, each of which proves its sender by itself. */
  readonly routes: readonly Hono[];
  readonly pairings: Pairings;
  /** Tries again to deliver what was given up; false when there is none of that id. */
  retry(id: string): Promise<boolean>;
}

/** Everything that the gateway is handed. */
export interface GatewayParts {
  readonly settings: GatewaySettings;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly store: Store;
  /** Absent in tests that are not about it. */
  readonly audit?: AuditTrail;
  readonly turns: Turns;
  /** Turns that run and turns that wait for a slot, those without a session too; absent in tests that are not about it. */
  readonly slots?: { readonly running: number; readonly waiting: number };
  /** Runs a turn that has no session. */
  readonly run: RunTurn;
  readonly approvals: Approvals;
  /** Absent in tests that are not about it. */
  readonly channels?: ChannelDesk;
  /** The same. */
  readonly jobs?: Jobs;
  /** True while memory is so short that no turn may begin; absent in tests that are not about it. */
  isMemoryShort?(): boolean;
  /** What this server finds when it looks at itself; absent in tests that are not about it. */
  doctor?(of: { readonly online: boolean }): Promise<{ readonly json: object; readonly text: string }>;
  readonly models: Models;
  /** What `/metrics` looks up for Prometheus; absent in tests that are not about it. */
  readonly gauges?: readonly Gauge[];
  readonly tools: readonly OfferedTool[];
  /** What `status.get` tells beside what the gateway knows itself: model, provider, load. */
  status(): Record<string, unknown> | Promise<Record<string, unknown>>;
}
