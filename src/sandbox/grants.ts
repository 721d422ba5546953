import type { CanNotes, CanSessions } from "./capabilities.ts";
import { lendFiles } from "./files.ts";
import type { Roots } from "./roots.ts";
import type { Lend } from "./sandbox.ts";
import type { Caller } from "./tool.ts";

/** The settings of what may be lent; the rows of the group `sandbox` have these names. */
export interface GrantSettings {
  readonly allowShell: boolean;
  readonly shellCommands: readonly string[];
  readonly allowCode: readonly string[];
  readonly allowGit: boolean;
  readonly allowGitFetch: boolean;
  readonly allowGitPush: boolean;
  readonly allowWebFetch: boolean;
  readonly allowWebSearch: boolean;
  readonly allowBrowser: boolean;
  readonly allowBrowserScript: boolean;
  readonly allowPdf: boolean;
  readonly allowDatabase: boolean;
  readonly allowEmail: boolean;
  readonly allowImageGen: boolean;
  readonly project: string | undefined;
  readonly sandbox: "auto" | "required" | "none";
  readonly sandboxUser: string | undefined;
  readonly processMemoryBytes: number;
  readonly processCount: number;
  readonly processFileBytes: number;
  readonly allowedHosts: readonly string[];
  readonly allowPrivateNetwork: boolean;
  readonly allowProcessNetwork: boolean;
  readonly browserPath: string | undefined;
  readonly browserCdpUrl: string | undefined;
  readonly searchProvider: "tavily" | "brave" | "searxng";
  readonly searchKey: string | undefined;
  readonly searchEndpoint: string | undefined;
  readonly imageModel: string;
  readonly imageEndpoint: string | undefined;
  readonly imageKey: string | undefined;
  readonly smtpUrl: string | undefined;
  readonly emailFrom: string | undefined;
  readonly emailRecipients: readonly string[];
  readonly timeoutMaxMs: number;
}

/** What is made elsewhere and lent here. */
export interface GrantParts {
  readonly roots: Roots;
  readonly dataDir: string;
  /** Port of our own listener, once there is one: nothing that is lent may connect to it. */
  readonly ownPort: () => number | undefined;
  /** The first model provider: `image_gen` asks it where nothing else is set. */
  readonly provider: { readonly endpoint: string | undefined; readonly key: string | undefined };
  /** Notes of an owner. */
  readonly notes: (owner: string) => CanNotes;
  readonly sessions: (caller: Caller) => CanSessions;
}

export interface Grants {
  readonly lend: Lend;
  /** What was asked for and cannot be granted here, each with its fix; for the start block and the doctor. */
  readonly warnings: readonly string[];
  /** Ends what runs and gives back what was opened. */
  close(): Promise<void>;
}

/** Everything that the settings grant, one line for each thing that can be lent. */
export async function createGrants(settings: GrantSettings, parts: GrantParts): Promise<Grants> {
  const { project } = settings;
  return {
    lend: {
      ...lendFiles(parts.roots, { never: [parts.dataDir] }),
      notes: (caller) => parts.notes(caller.principal),
      sessions: parts.sessions,
      time: () => ({ now: Date.now }),
      ...(project !== undefined && { project: () => parts.notes(`project:${project}`) }),
    },
    warnings: [],
    async close() {},
  };
}
