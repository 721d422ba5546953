/** First argument of this executable when it is to become a program in the sandbox; no command of people. */
export const launchWord = "become-sandboxed";

/** In place of a program: the launcher only looks whether its rights are gone. */
export const probeWord = "--probe-sandbox";

/** Name of the one variable that the launcher is started with; its value is a policy as JSON. */
export const policyVariable = "OPENCLAW_LAUNCH_POLICY";

/** All that a launcher takes away from itself before it becomes the program. */
export interface LaunchPolicy {
  /** False: limits and a clean environment, but no sandbox. */
  readonly confined: boolean;
  /** Landlock's version, as it was probed. */
  readonly landlock: number;
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** The system's own, where links are followed. */
  readonly system: readonly string[];
  readonly devices: readonly string[];
  /** TCP port that may be connected to. */
  readonly port: number | null;
  /** Sockets by path, and memory without a name: a browser does not start without. */
  readonly local: boolean;
  /** User to become; null stays. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
  /** Processes and threads that must not be touched; a group of processes as a negative number. */
  readonly protect: readonly number[];
  readonly mark: number;
  readonly cpuSeconds: number;
  readonly fileBytes: number;
  readonly processes: number;
  readonly openFiles: number;
  /** Descriptors that are kept: 0 up to this one. */
  readonly lastDescriptor: number;
  /** Files of control groups that it writes itself into. */
  readonly groups: readonly string[];
  /** True when they come opened, as the descriptors that follow the last one: in namespaces they cannot be reached. */
  readonly groupsOpened: boolean;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

const texts = (value: unknown) => Array.isArray(value) && value.every((each) => typeof each === "string");
const integers = (value: unknown) =>
  Array.isArray(value) && value.every((each) => Number.isSafeInteger(each));
const whole = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
const orNull = (check: (value: unknown) => boolean) => (value: unknown) => value === null || check(value);
const truth = (value: unknown) => typeof value === "boolean";
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** By hand and not by valibot: that would be half of the time that a launcher takes. */
const checks: Readonly<Record<keyof LaunchPolicy, (value: unknown) => boolean>> = {
  confined: truth,
  landlock: whole,
  read: texts,
  write: texts,
  system: texts,
  devices: texts,
  port: orNull(whole),
  local: truth,
  user: orNull((value) => isObject(value) && whole(value["uid"]) && whole(value["gid"])),
  protect: integers,
  mark: whole,
  cpuSeconds: whole,
  fileBytes: whole,
  processes: whole,
  openFiles: whole,
  lastDescriptor: whole,
  groups: texts,
  groupsOpened: truth,
  cwd: (value) => typeof value === "string",
  environment: (value) => isObject(value) && texts(Object.values(value)),
};

const isPolicy = (value: unknown): value is LaunchPolicy =>
  isObject(value) && Object.entries(checks).every(([name, check]) => check(value[name]));

/** Reads a policy out of an environment as the kernel shows it (`/proc/self/environ`); undefined when there is none, or it is not whole. */
export function readPolicy(environ: string): LaunchPolicy | undefined {
  const prefix = `${policyVariable}=`;
  const text = environ.split("\0").find((each) => each.startsWith(prefix));
  try {
    const value: unknown = JSON.parse(text?.slice(prefix.length) ?? "");
    return isPolicy(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
