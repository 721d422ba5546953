import type { Command } from "./command.ts";

/** Every command; the first is that of an empty command line. */
export const commands: readonly Command[] = [
  {
    words: ["serve"],
    usage: "openclaw",
    doc: "Serve, with the settings of the environment.",
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    words: ["run"],
    usage: 'openclaw run "TEXT" [--file FILE]… [--session ID [--branch NAME]] [--json]',
    doc: "One turn against a running server; `-` as FILE is standard input.",
    load: async () => (await import("./run.ts")).run,
  },
  {
    words: ["chat"],
    usage: "openclaw chat [--session ID]",
    doc: "A conversation with a running server.",
    load: async () => (await import("./chat.ts")).chat,
  },
  {
    words: ["--check"],
    usage: "openclaw --check [--json]",
    doc: "Offline self-test of this executable with these settings; changes nothing.",
    load: async () => (await import("./check.ts")).check,
  },
  {
    words: ["--doctor"],
    usage: "openclaw --doctor [--json]",
    doc: "The self-test, and whether the model's provider answers as it should (costs a few tokens).",
    load: async () => (await import("./doctor.ts")).doctor,
  },
  {
    words: ["--health-check"],
    usage: "openclaw --health-check",
    doc: "Ask a running server whether it lives.",
    load: async () => (await import("./health-check.ts")).healthCheck,
  },
  {
    words: ["pairing"],
    usage: "openclaw pairing list | approve CHANNEL CODE | revoke CHANNEL SENDER",
    doc: "Who may write by the channels of a running server.",
    load: async () => (await import("./pairing.ts")).pairing,
  },
  {
    words: ["audit"],
    usage: "openclaw audit verify [--json]",
    doc: "Check that nobody changed the audit trail, also while the server runs.",
    load: async () => (await import("./audit.ts")).audit,
  },
  {
    words: ["config"],
    usage: "openclaw config [--json]",
    doc: "Every setting as it counts, and where it came from; secrets are hidden.",
    load: async () => (await import("./config.ts")).config,
  },
  {
    words: ["backup"],
    usage: "openclaw backup FILE [--force]",
    doc: "A consistent copy of the database in one file, also while the server runs.",
    load: async () => (await import("./backup.ts")).backup,
  },
  {
    words: ["restore"],
    usage: "openclaw restore FILE",
    doc: "Put a backup back, while the server does not run; what was there is kept aside.",
    load: async () => (await import("./restore.ts")).restore,
  },
  {
    words: ["--help", "-h", "help"],
    usage: "openclaw --help",
    doc: "This text.",
    load: async () => (await import("./help.ts")).help,
  },
  {
    words: ["--version", "-v"],
    usage: "openclaw --version",
    doc: "The version.",
    load: async () => (await import("./version.ts")).printVersion,
  },
];
