import type { CanJobs } from "./can-jobs.ts";
import type { CanNotes, CanSessions } from "./capabilities.ts";
import { createEgress } from "./net/create-egress.ts";
import { lendDelegate } from "./delegate.ts";
import type { DatabaseConnection } from "./databases/databases.ts";
import type { NarrowFiles } from "./files/narrow-files.ts";
import type { HostSandbox, Programs } from "./processes/programs.ts";
import type { Roots } from "./files/roots.ts";
import { runsPrograms } from "./processes/runs-programs.ts";
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
  readonly databases: Readonly<Record<string, DatabaseConnection>>;
  readonly allowEmail: boolean;
  readonly allowImageGen: boolean;
  readonly allowDelegation: boolean;
  readonly allowSchedule: boolean;
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
  readonly browserIdleMs: number;
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
  readonly jobs: (caller: Caller) => CanJobs;
}

export interface Grants {
  readonly lend: Lend;
  /** What holds granted programs; absent when nothing that is granted runs any. */
  readonly host: HostSandbox | undefined;
  /** What was asked for and cannot be granted here, each with its fix; for the start block and the doctor. */
  readonly warnings: readonly string[];
  /** Ends what runs and gives back what was opened. */
  close(): Promise<void>;
}

/** Everything that the settings grant, one line for each thing that can be lent: of what is not, nothing is loaded. */
export async function createGrants(settings: GrantSettings, parts: GrantParts): Promise<Grants> {
  const { project } = settings;
  const images = settings.allowImageGen
    ? (await import("./services/images.ts")).lendImages(settings, parts.provider)
    : undefined;
  const mail = settings.allowEmail ? (await import("./services/mail.ts")).lendMail(settings) : undefined;
  const egress = createEgress({
    allowedHosts: settings.allowedHosts,
    allowPrivateNetwork: settings.allowPrivateNetwork,
    ownPort: parts.ownPort,
  });
  const web = settings.allowWebFetch
    ? (await import("./net/web.ts")).lendWeb({ net: egress.net })
    : undefined;
  const search = settings.allowWebSearch
    ? (await import("./net/search-web.ts")).lendSearch(settings)
    : undefined;
  const pdf = settings.allowPdf ? (await import("./pdf/pdf.ts")).lendPdf() : undefined;
  const never = [parts.dataDir];
  const startPrograms = async () =>
    (await import("./processes/create-programs.ts")).createPrograms(settings, {
      never,
      workspace: parts.roots.workspace,
    });
  // Made once for all that runs programs, where anything does: the host is tried out for it.
  const programs = runsPrograms(settings) ? await startPrograms() : undefined;
  let programsOfSearch: Promise<Programs> | undefined;
  const loadNarrowFiles = async () =>
    (await import("./files/narrow-files.ts")).createNarrowFiles({
      programs: async () => programs ?? (programsOfSearch ??= startPrograms()),
      read: parts.roots.read.map(({ path }) => path),
    });
  let narrow: Promise<NarrowFiles> | undefined;
  const narrowFiles: NarrowFiles = async (narrowing, signal) =>
    (await (narrow ??= loadNarrowFiles()))(narrowing, signal);
  const files =
    parts.roots.read.length + parts.roots.write.length > 0
      ? (await import("./files/files.ts")).lendFiles(parts.roots, { never, narrowFiles })
      : undefined;
  const git =
    settings.allowGit || settings.allowGitFetch || settings.allowGitPush
      ? (await import("./git/git.ts")).lendGit(settings, { programs, egress, roots: parts.roots, never })
      : undefined;
  const runInWorkspace =
    programs &&
    (await import("./processes/workspace-programs.ts")).createRunInWorkspace(settings, {
      programs,
      egress,
      roots: parts.roots,
    });
  const shell = runInWorkspace && (await import("./code/shell.ts")).lendShell(settings, runInWorkspace);
  const code =
    settings.allowCode.length > 0
      ? (await import("./code/code.ts")).lendCode(settings, runInWorkspace && { programs, runInWorkspace })
      : undefined;
  const databases =
    settings.allowDatabase && programs
      ? (await import("./databases/databases.ts")).lendDatabases(settings.databases, {
          roots: parts.roots,
          never,
          programs,
        })
      : undefined;
  const browser =
    settings.allowBrowser && programs
      ? (await import("./browser/browser.ts")).lendBrowser(settings, { programs, egress })
      : undefined;
  return {
    lend: {
      ...files,
      notes: (caller) => parts.notes(caller.principal),
      sessions: parts.sessions,
      time: () => ({ now: Date.now }),
      ...web?.lend,
      ...search?.lend,
      ...git?.lend,
      ...images?.lend,
      ...mail?.lend,
      ...(pdf && { pdf: pdf.lend }),
      ...shell,
      ...code?.lend,
      ...(databases && { databases: databases.lend }),
      ...(browser && { browse: browser.lend }),
      ...(settings.allowSchedule && { jobs: parts.jobs }),
      ...(settings.allowDelegation && { delegate: lendDelegate }),
      ...(project !== undefined && { project: () => parts.notes(`project:${project}`) }),
    },
    host: programs?.host,
    warnings: [
      ...(programs?.host.warning === undefined ? [] : [programs.host.warning]),
      ...(browser?.warnings ?? []),
      ...(search?.warnings ?? []),
      ...(git?.warnings ?? []),
      ...(images?.warnings ?? []),
      ...(mail?.warnings ?? []),
    ],
    async close() {
      web?.close();
      pdf?.close();
      await code?.close();
      databases?.close();
      await browser?.close();
      await programs?.close();
      await (await programsOfSearch?.catch(() => undefined))?.close();
      await egress.close();
    },
  };
}
