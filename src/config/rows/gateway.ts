import * as v from "valibot";
import type { SettingRow } from "../setting-row.ts";
import {
  addressRanges,
  flag,
  listenAddress,
  namedTokens,
  origins,
  port,
  seconds,
  text,
  whole,
} from "../values.ts";

export const gatewayRows = {
  bindAddress: {
    env: "OPENCLAW_BIND_ADDRESS",
    schema: listenAddress,
    fallback: "127.0.0.1",
    doc: "Address to listen on.",
    alias: ["OpenClaw__BindAddress"],
  },
  port: {
    env: "OPENCLAW_PORT",
    schema: port,
    fallback: "18789",
    doc: "Port to listen on; 0 picks a free one.",
    alias: ["OpenClaw__Port"],
  },
  authToken: {
    env: "OPENCLAW_AUTH_TOKEN",
    schema: v.pipe(text, v.minLength(8, "Expected at least 8 characters")),
    doc: "The operator's token; needed beyond loopback.",
    secret: true,
    alias: ["OpenClaw__AuthToken"],
  },
  clientTokens: {
    env: "OPENCLAW_CLIENT_TOKENS",
    schema: namedTokens,
    fallback: "",
    doc: "Tokens of scope `chat`, as name=token pairs separated by commas.",
    secret: true,
  },
  allowedOrigins: {
    env: "OPENCLAW_ALLOWED_ORIGINS",
    schema: origins,
    fallback: "",
    doc: "Web origins beside our own that may connect, separated by commas.",
    alias: ["OpenClaw__Security__AllowedOrigins"],
  },
  trustedProxies: {
    env: "OPENCLAW_TRUSTED_PROXIES",
    schema: addressRanges,
    fallback: "",
    doc: "Addresses or CIDRs whose `X-Forwarded-*` is believed, separated by commas.",
    alias: ["OpenClaw__Security__KnownProxies"],
  },
  allowQueryToken: {
    env: "OPENCLAW_ALLOW_QUERY_TOKEN",
    schema: flag,
    fallback: "false",
    doc: "Accept `?token=`; refused beyond loopback.",
    alias: ["OpenClaw__Security__AllowQueryStringToken"],
  },
  maxBodyBytes: {
    env: "OPENCLAW_MAX_BODY_BYTES",
    schema: whole(1024, 1_073_741_824),
    fallback: "1048576",
    doc: "Bytes of a request body or of a WebSocket frame.",
  },
  maxConnections: {
    env: "OPENCLAW_MAX_CONNECTIONS",
    schema: whole(1),
    fallback: "10000",
    doc: "WebSocket connections at once.",
    alias: ["OpenClaw__WebSocket__MaxConnections"],
  },
  messagesPerMinute: {
    env: "OPENCLAW_CONNECTION_RATE_PER_MINUTE",
    schema: whole(0),
    fallback: "600",
    doc: "Messages a minute on one WebSocket; more close it with 1008; 0: no limit.",
    alias: ["OpenClaw__WebSocket__MessagesPerMinutePerConnection"],
  },
  sendBufferBytes: {
    env: "OPENCLAW_SEND_BUFFER_BYTES",
    schema: whole(16_384),
    fallback: "1048576",
    doc: "Bytes that may wait for a slow WebSocket before it is closed with 1013.",
  },
  drainMs: {
    env: "OPENCLAW_DRAIN_SECONDS",
    schema: seconds(3600),
    fallback: "15",
    doc: "Seconds that running turns get after SIGTERM.",
  },
} as const satisfies Record<string, SettingRow>;
