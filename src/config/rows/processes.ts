import type { SettingRow } from "../setting-row.ts";
import { choice, flag, list, text, whole } from "../values.ts";

const mebibyte = 1_048_576;

/** How granted processes are held, and where they, and the tools of the net, may go. */
export const processRows = {
  sandbox: {
    env: "OPENCLAW_SANDBOX",
    schema: choice(["auto", "required", "none"]),
    fallback: "auto",
    doc: "`auto`: the strongest sandbox this host offers, and without one process tools are refused; `required`: without one the server does not start; `none`: no sandbox.",
  },
  sandboxUser: {
    env: "OPENCLAW_SANDBOX_USER",
    schema: text,
    doc: "User that processes become when the server runs as root, as `uid` or `uid:gid`; the owner of the workspace when left out.",
  },
  processMemoryBytes: {
    env: "OPENCLAW_PROCESS_MEMORY_BYTES",
    schema: whole(16 * mebibyte),
    fallback: String(1024 * mebibyte),
    doc: "Memory that the processes of one call may hold together.",
  },
  processCount: {
    env: "OPENCLAW_PROCESS_COUNT",
    schema: whole(1, 10_000),
    fallback: "128",
    doc: "Processes and threads that one call may have at once.",
  },
  processFileBytes: {
    env: "OPENCLAW_PROCESS_FILE_BYTES",
    schema: whole(4096),
    fallback: String(1024 * mebibyte),
    doc: "Size of the largest file that a process may write.",
  },
  allowedHosts: {
    env: "OPENCLAW_ALLOWED_HOSTS",
    schema: list,
    fallback: "",
    doc: "Hosts that web_fetch, browser, git and granted processes may reach, separated by commas: `example.com`, `*.example.com`, `host:port`. Empty: every public one. Ports that are no web server's (22, 25, …) only where they are named.",
  },
  allowPrivateNetwork: {
    env: "OPENCLAW_ALLOW_PRIVATE_NETWORK",
    schema: flag,
    fallback: "false",
    doc: "Lets them reach loopback and private addresses too; never our own listener.",
  },
  allowProcessNetwork: {
    env: "OPENCLAW_ALLOW_PROCESS_NETWORK",
    schema: flag,
    fallback: "false",
    doc: "Lets `shell` and `code_exec` reach the network, through the egress proxy alone.",
  },
} as const satisfies Record<string, SettingRow>;
