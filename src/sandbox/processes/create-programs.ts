import { AppError } from "../../errors.ts";
import { becomeSubreaper, ownThreads } from "../../linux/marked.ts";
import { sandboxLog as log } from "../../telemetry/log.ts";
import type { CallGroup } from "./call-group.ts";
import { findCallGroups } from "./cgroup.ts";
import { describeHost } from "./describe-host.ts";
import { endMarked, reapOrphans } from "./end-programs.ts";
import { findProgram, type Probed, probeHost } from "./host-sandbox.ts";
import type { LaunchPolicy } from "./launch-policy.ts";
import { environmentOf } from "./environment-of.ts";
import { makePrivateFolder, type PrivateFolder, sweepPrivateFolders } from "./private-folder.ts";
import type { Programs, ProgramSpec } from "./programs.ts";
import { runProgram } from "./run-program.ts";
import { findSandboxUser } from "./sandbox-user.ts";
import { countTasks, startOf } from "./start-program.ts";
import { devices, systemPaths } from "./system-folders.ts";
import { overLimit, processesOf, type WatchLimits } from "./watch-processes.ts";

export interface ProgramSettings {
  readonly sandbox: "auto" | "required" | "none";
  /** `uid` or `uid:gid`. */
  readonly sandboxUser: string | undefined;
  readonly processMemoryBytes: number;
  readonly processCount: number;
  readonly processFileBytes: number;
}

export interface ProgramParts {
  /** Folders that no program may see, wherever they lie: the data folder. */
  readonly never: readonly string[];
  readonly workspace: string | undefined;
  /** False leaves bubblewrap alone, as if it were not there. */
  readonly namespaces?: boolean;
}

/** What differs between a program that we run and one that somebody else starts, which is a browser. */
const openFiles = { run: 4096, launch: 16_384 };
const browserProcesses = 2048;
/** Threads of a launcher, before it becomes its program; a few more than it has. */
const launcherTasks = 16;
/** For how many calls that start later the limit of an earlier one has room: the kernel counts a user's tasks over all. */
const callsBeside = 8;
/** Processor time of one process: more than any call may last. */
const cpuSeconds = 3600;
const outputBytes = 65_536;

/**
 * The sandbox of processes, as strong as this host has it: what that is, is tried out here once. Throws `bad_request`
 * when one is required and there is none.
 */
export async function createPrograms(settings: ProgramSettings, parts: ProgramParts): Promise<Programs> {
  const who = findSandboxUser(settings.sandboxUser, parts.workspace);
  const confined = settings.sandbox !== "none";
  const user = confined ? who.user : undefined;
  const hidden = [...parts.never, ...(parts.workspace === undefined ? [] : [parts.workspace])];
  const systems = { own: systemPaths(hidden, true), shared: systemPaths(hidden, false) };
  let lastMark = (Date.now() % 2 ** 31) * 2 ** 16;
  const owned = new Set<number>();
  const running = new Set<() => Promise<void>>();

  const policyOf = (
    landlock: number,
    bubblewrap: string | undefined,
    spec: ProgramSpec,
    folder: string,
    kind: "run" | "launch",
  ): LaunchPolicy => {
    const uid = user?.uid ?? process.getuid?.() ?? 0;
    const most = kind === "run" ? settings.processCount : browserProcesses;
    // In a user namespace, which bubblewrap makes for all but root, the kernel counts anew.
    const countsAnew = bubblewrap !== undefined && process.getuid?.() !== 0;
    const others = countsAnew ? 0 : countTasks(uid) + callsBeside * (settings.processCount + launcherTasks);
    lastMark += 1;
    return {
      confined,
      landlock,
      read: spec.read,
      write: [...spec.write, folder],
      system: bubblewrap === undefined ? systems.shared : systems.own,
      devices,
      port: spec.proxy?.port ?? null,
      local: kind === "launch",
      user: user ?? null,
      protect: bubblewrap === undefined ? ownThreads() : [],
      mark: lastMark,
      cpuSeconds: kind === "run" ? cpuSeconds : Number.MAX_SAFE_INTEGER,
      fileBytes: settings.processFileBytes,
      // A little more, so that the watch is who ends a call that has too many, and says so.
      processes: others + most + launcherTasks,
      openFiles: openFiles[kind],
      lastDescriptor: kind === "run" ? 2 : 4,
      groups: [],
      groupsOpened: false,
      cwd: spec.cwd,
      environment: environmentOf(spec, folder),
    };
  };

  const emptySpec: ProgramSpec = { stages: [], cwd: "/", read: [], write: [] };
  becomeSubreaper();
  const probed: Probed = confined
    ? await probeHost(
        (landlock) => ({ ...policyOf(landlock, undefined, emptySpec, "/nonexistent", "run"), write: [] }),
        { useBubblewrap: parts.namespaces ?? true, groups: findCallGroups() },
      )
    : { landlock: 0 };
  const host = describeHost(settings.sandbox, probed, who);
  if (settings.sandbox === "required" && !host.works)
    throw new AppError(
      "bad_request",
      `OPENCLAW_SANDBOX is required, but there is no sandbox on this host: ${host.text}.`,
    );
  const { landlock, bubblewrap, groups } = probed;

  const refuse = (spec: ProgramSpec, kind: "run" | "launch") => {
    if (!confined) return;
    if (!host.works)
      throw new AppError(
        "forbidden",
        `Cannot run a program: this host has no sandbox for it (${host.text}). The operator can mend that, or set OPENCLAW_SANDBOX=none to do without.`,
      );
    if (kind === "launch" && who.isRoot)
      throw new AppError(
        "forbidden",
        "Cannot start it as root: the operator can give the workspace to another user (chown), set OPENCLAW_SANDBOX_USER, or set OPENCLAW_SANDBOX=none.",
      );
    if (spec.proxy !== undefined && landlock < 4)
      throw new AppError(
        "forbidden",
        "Cannot let a program reach the network: this kernel cannot limit it to the egress proxy (Linux 6.7 can).",
      );
  };

  /** The limits of a browser are its own; those of its group are only what is more than that. */
  const limitsOf = (kind: "run" | "launch"): WatchLimits =>
    kind === "run"
      ? { memoryBytes: settings.processMemoryBytes, processes: settings.processCount }
      : { memoryBytes: 3 * settings.processMemoryBytes, processes: browserProcesses };

  const openGroup = (kind: "run" | "launch"): CallGroup | undefined => {
    try {
      return groups?.open(limitsOf(kind));
    } catch (error) {
      log.warn("A call has no control group; the watch alone limits it.", { error });
      return undefined;
    }
  };

  let swept: Promise<void> | undefined;

  /** Where its folder is made and its policy written; both end with the call. */
  async function prepare(spec: ProgramSpec, kind: "run" | "launch") {
    refuse(spec, kind);
    swept ??= sweepPrivateFolders(user);
    const folder = await makePrivateFolder(user);
    const group = openGroup(kind);
    const policy = { ...policyOf(landlock, bubblewrap, spec, folder.path, kind), groups: group?.joins ?? [] };
    return {
      folder,
      group,
      mark: policy.mark,
      starts: spec.stages.map((words) => startOf(words, policy, bubblewrap)),
    };
  }

  const removeLater = async (folder: PrivateFolder, group: CallGroup | undefined) => {
    try {
      await group?.remove();
    } catch (error) {
      log.error("The control group of a call could not be removed.", { error });
    }
    try {
      await folder.remove();
    } catch (error) {
      log.error("The folder of a call could not be removed.", { path: folder.path, error });
    }
  };

  return {
    host,
    find: async (name) => findProgram(name),
    async run(spec, { signal, onOutput, maxOutputBytes = outputBytes }) {
      signal.throwIfAborted();
      const stop = new AbortController();
      const ended = Promise.withResolvers<void>();
      const end = () => {
        stop.abort(new AppError("cancelled", "The server stops."));
        return ended.promise;
      };
      running.add(end);
      try {
        const { folder, group, mark, starts } = await prepare(spec, "run");
        try {
          return await runProgram({
            starts,
            mark,
            namespaces: bubblewrap !== undefined,
            owned,
            signal: AbortSignal.any([signal, stop.signal]),
            limits: limitsOf("run"),
            ...(group !== undefined && { group }),
            maxOutputBytes,
            ...(spec.input !== undefined && { input: spec.input }),
            ...(user !== undefined && { owner: user }),
            ...(onOutput !== undefined && { onOutput }),
          });
        } finally {
          await removeLater(folder, group);
        }
      } finally {
        running.delete(end);
        ended.resolve();
      }
    },
    async launch(spec) {
      const { folder, group, mark, starts } = await prepare(spec, "launch");
      const [start] = starts;
      if (start === undefined || starts.length > 1) throw new Error("Just one program can be launched.");
      const endAll = async () => {
        group?.end();
        await endMarked(mark);
        running.delete(endAll);
        await removeLater(folder, group);
        await reapOrphans();
      };
      running.add(endAll);
      const over = (pid: number, limits: WatchLimits) =>
        overLimit(processesOf({ roots: [pid], mark, owned }, limits.processes), limits);
      return { ...start, over, endAll };
    },
    async close() {
      await Promise.all([...running].map((end) => end()));
      await swept;
    },
  };
}
