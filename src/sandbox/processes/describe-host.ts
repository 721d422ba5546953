import type { Controller } from "./cgroup-places.ts";
import type { CallGroups } from "./cgroup.ts";
import type { Probed } from "./host-sandbox.ts";
import type { HostSandbox } from "./programs.ts";
import type { SandboxUser } from "./sandbox-user.ts";

const rootWarning = (isCounted: boolean) =>
  `Programs run as user 0 without its rights, because the workspace belongs to root${isCounted ? "" : "; the kernel does not limit how many such a user starts"}. Give the workspace to another user (chown), or set OPENCLAW_SANDBOX_USER.`;

/** What limits number and memory: the kernel, by a control group, or a watch that ends what has too much. */
function describeLimits(groups: CallGroups | undefined): string {
  const by = (controller: Controller) => (groups?.controllers.includes(controller) ? "cgroup" : "a watch");
  const [number, memory] = [by("pids"), by("memory")];
  return number === memory ? `number and memory by ${number}` : `number by ${number}, memory by ${memory}`;
}

/** What holds programs here, for people. */
export function describeHost(
  mode: "auto" | "required" | "none",
  { landlock, bubblewrap, groups, fault }: Probed,
  { user, isRoot }: SandboxUser,
): HostSandbox {
  if (mode === "none") return { works: false, text: "none: OPENCLAW_SANDBOX says so" };
  if (fault !== undefined) return { works: false, text: `none: ${fault}` };
  const network = landlock < 4 ? ["no network for programs (Linux 6.7 has it)"] : [];
  // The filter knows only those threads of the server that there were when a program was started.
  const isOpen = landlock < 6 && bubblewrap === undefined && (user === undefined || isRoot);
  const parts = [
    `Landlock ${landlock}`,
    "seccomp",
    bubblewrap === undefined ? "no namespaces" : "namespaces by bubblewrap",
    ...(user === undefined ? [] : [`user ${user.uid}`]),
    ...(isRoot ? ["user 0 without capabilities"] : []),
    describeLimits(groups),
    ...network,
    ...(isOpen ? ["programs can signal later threads of this server (Linux 6.12 forbids it)"] : []),
  ];
  return {
    works: true,
    text: parts.join(", "),
    ...(isRoot && { warning: rootWarning(groups?.controllers.includes("pids") ?? false) }),
  };
}
