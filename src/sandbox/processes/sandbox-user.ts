import { statSync } from "node:fs";
import { AppError } from "../../errors.ts";
import type { User } from "../../linux/privileges.ts";

/** As whom programs run. */
export interface SandboxUser {
  /** Absent: as this process does. */
  readonly user?: User;
  /** True when they stay user 0, whose files are the machine's own; without any capability. */
  readonly isRoot: boolean;
}

function readUser(text: string): User {
  const [, uid, gid] = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(text) ?? [];
  if (uid === undefined || Number(uid) === 0)
    throw new AppError(
      "bad_request",
      `OPENCLAW_SANDBOX_USER: cannot use ${JSON.stringify(text)}: it must be the number of a user other than 0, or two such as 1000:1000.`,
    );
  return { uid: Number(uid), gid: Number(gid ?? uid) };
}

function ownerOf(workspace: string | undefined): User | undefined {
  if (workspace === undefined) return undefined;
  const { uid, gid } = statSync(workspace);
  // Files that belong to the group of root are none of its business.
  return uid === 0 ? undefined : { uid, gid: gid === 0 ? uid : gid };
}

/** Who runs the programs: as root the user of the setting, else the owner of the workspace. */
export function findSandboxUser(setting: string | undefined, workspace: string | undefined): SandboxUser {
  const named = setting === undefined ? undefined : readUser(setting);
  if (process.getuid?.() !== 0) return { isRoot: false };
  const user = named ?? ownerOf(workspace);
  return user === undefined ? { isRoot: true } : { user, isRoot: false };
}
