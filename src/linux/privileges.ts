import { readFileSync } from "node:fs";
import { kernel } from "./system-calls.ts";

export interface User {
  readonly uid: number;
  readonly gid: number;
}

// From linux/prctl.h, linux/securebits.h and linux/capability.h.
const [setDeathSignal, dropBounding, setSecureBits, setNoNewPrivileges, ambient] = [1, 24, 28, 38, 47];
const clearAmbient = 4;
/** No rights for user 0 at exec, none from ambient sets, all locked: NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE. */
const lockedBits = 0b1110_1111;
const capabilityVersion3 = 0x2008_0522;
const mostCapabilities = 64;
const sigkill = 9;

const heldCapabilities = (): bigint =>
  BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? "0"}`);

/**
 * Makes this thread `user`, without other groups and without any capability, now and for all that it becomes; user 0
 * stays what it is but has no more rights than the owner of its files. Throws when anything of that cannot be done.
 */
export function dropPrivileges(user: User | undefined) {
  const { try: attempt, call } = kernel();
  const capable = heldCapabilities() !== 0n;
  attempt("prctl", ambient, clearAmbient, 0, 0, 0);
  if (capable) {
    // Where it may not be emptied (a few capabilities, without SETPCAP), `no_new_privs` keeps it from mattering.
    for (let number = 0; number < mostCapabilities; number += 1)
      attempt("prctl", dropBounding, number, 0, 0, 0);
    attempt("prctl", setSecureBits, lockedBits, 0, 0, 0);
  }
  if (user !== undefined) {
    call("setgroups", 0, 0);
    call("setresgid", user.gid, user.gid, user.gid);
    call("setresuid", user.uid, user.uid, user.uid);
  }
  // Version, this thread; then three sets (effective, permitted, inheritable) of 64 bits: empty.
  call("capset", new Uint32Array([capabilityVersion3, 0]), new Uint32Array(6));
  if (heldCapabilities() !== 0n) throw new Error("The capabilities of this process cannot be given up.");
}

/** From here on no program gives this thread rights that it does not have (setuid, file capabilities). */
export const renounceNewPrivileges = () => kernel().call("prctl", setNoNewPrivileges, 1, 0, 0, 0);

/** Ends this process when the one that started it ends. Forgotten by the kernel when the user changes. */
export const dieWithParent = () => kernel().call("prctl", setDeathSignal, sigkill, 0, 0, 0);
