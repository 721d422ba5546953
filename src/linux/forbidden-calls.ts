import { constants } from "node:os";
import type { CallName } from "./system-calls.ts";

/** What a filter lets through beside what it never does. */
export interface FilterOptions {
  /** Sockets of TCP; without it none can be made but a pair that is connected to itself. */
  readonly tcp: boolean;
  /** Sockets of this machine by path (which Landlock does not look at), and memory without a name. */
  readonly local: boolean;
  /** Landlock's version: what it does not cover yet is forbidden here. */
  readonly landlock: number;
  /** Processes and threads that must not be touched, where no namespace hides them; groups of processes as negative numbers. */
  readonly protect: readonly number[];
}

/** One test of an argument's lower (`half` 1: upper) 32 bits: `(value & mask) === equals` (or one of them), or its contrary. */
export interface Test {
  readonly argument: number;
  readonly half?: 1;
  readonly mask?: number;
  readonly equals: number | readonly number[];
  readonly not?: true;
}

/** A call that fails with `error` when all tests hold. */
export interface Rule {
  readonly call: CallName;
  readonly error: number;
  readonly when: readonly Test[];
}

/** The resource whose limit marks the processes of one call (see marked.ts): of real-time scheduling, which none of them may use. */
export const markResource = 15;

const { EPERM, ENOSYS } = constants.errno;

/** What acts on the kernel, on other processes or on accounts of the machine. */
const never: readonly CallName[] = [
  ...(["ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease"] as const),
  ...(["kcmp", "pidfd_getfd", "migrate_pages", "move_pages"] as const),
  ...(["mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "open_tree_attr"] as const),
  ...(["fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "statmount", "listmount"] as const),
  ...(["unshare", "setns", "open_by_handle_at", "name_to_handle_at", "fanotify_init"] as const),
  ...(["bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key"] as const),
  ...(["io_uring_setup", "io_uring_enter", "io_uring_register"] as const),
  ...(["init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"] as const),
  ...(["swapon", "swapoff", "reboot", "sethostname", "setdomainname", "acct", "quotactl"] as const),
  ...(["quotactl_fd", "syslog", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex"] as const),
  ...(["iopl", "ioperm", "modify_ldt", "lookup_dcookie", "vhangup", "uselib", "memfd_secret"] as const),
  // Memory that outlives all processes.
  ...(["shmget", "msgget", "semget", "mq_open"] as const),
];

/** Answered as on a kernel without them, so that programs take the older call, whose arguments can be read. */
const absent: readonly CallName[] = ["clone3", "openat2", "fchmodat2"];

const newNamespaces = 0x7e02_0000;
const [afUnix, afInet, afInet6] = [1, 2, 10];
const [stream, typeMask, tcpProtocol, fastOpen] = [1, 0xf, 6, 0x2000_0000];
const [oCreat, oTrunc, accessMode] = [0o100, 0o1000, 3];
/** Typing into the terminal of somebody else: TIOCSTI, TIOCLINUX. */
const typing = [0x5412, 0x541c];
/** Having the kernel send a signal to another process: FIOSETOWN and SIOCSPGRP; F_SETOWN, F_SETSIG and F_SETOWN_EX. */
const owning = { ioctl: [0x8901, 0x8902], fcntl: [8, 10, 15] } as const;
/** So many are protected: a filter has 4096 instructions, and no jump goes further than 255. */
const mostProtected = 200;

const refuse = (call: CallName, ...when: readonly Test[]): Rule => ({ call, error: EPERM, when });
const set = (argument: number, mask: number): Test => ({ argument, mask, equals: mask });
const not = (argument: number, equals: number): Test => ({ argument, equals, not: true });

/** A file that runs as its owner would hand the owner's rights to everybody on this machine. */
const noSetIds = () =>
  [0o4000, 0o2000].flatMap((bit): Rule[] => [
    refuse("chmod", set(1, bit)),
    refuse("fchmod", set(1, bit)),
    refuse("fchmodat", set(2, bit)),
    refuse("creat", set(1, bit)),
    refuse("mknod", set(1, bit)),
    refuse("mknodat", set(2, bit)),
    refuse("open", set(1, oCreat), set(2, bit)),
    refuse("openat", set(2, oCreat), set(3, bit)),
  ]);

function sockets({ tcp, local }: FilterOptions): readonly Rule[] {
  const families = [...(local ? [afUnix] : []), ...(tcp ? [afInet, afInet6] : [])];
  const inet = (tcp ? [afInet, afInet6] : []).flatMap((family): Rule[] => [
    refuse("socket", { argument: 0, equals: family }, { ...not(1, stream), mask: typeMask }),
    // Nor another protocol of streams (MPTCP, SCTP), which Landlock does not take for TCP.
    refuse("socket", { argument: 0, equals: family }, not(2, 0), not(2, tcpProtocol)),
  ]);
  return [
    refuse("socket", ...families.map((family) => not(0, family))),
    ...inet,
    refuse("socketpair", not(0, afUnix)),
    ...(local ? [] : [refuse("listen"), refuse("memfd_create")]),
    // Landlock sees a connection being made by `connect` alone.
    refuse("sendto", set(3, fastOpen)),
    refuse("sendmsg", set(2, fastOpen)),
    refuse("sendmmsg", set(3, fastOpen)),
  ];
}

/** Before its version 3 Landlock does not see a file being cut. */
const noTruncate: readonly Rule[] = [
  refuse("truncate"),
  refuse("open", set(1, oTrunc), { argument: 1, mask: accessMode, equals: 0 }),
  refuse("openat", set(2, oTrunc), { argument: 2, mask: accessMode, equals: 0 }),
];

/** A process of the same user could stop them, slow them down or change their limits: a thread by its number, too. */
function protection(ids: readonly number[]): readonly Rule[] {
  const protect = ids.slice(0, mostProtected);
  const threads = protect.filter((id) => id > 0);
  const groups = protect.filter((id) => id < 0);
  const isThread = (argument: number): Test => ({ argument, equals: threads });
  return [
    ...(["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open"] as const).map(
      (call) => refuse(call, isThread(0)),
    ),
    // -1: everybody.
    refuse("kill", { argument: 0, equals: [...groups, -1] }),
    ...(["sched_setaffinity", "sched_setscheduler", "sched_setattr", "sched_setparam"] as const).map((call) =>
      refuse(call, isThread(0)),
    ),
    refuse("setpriority", isThread(1)),
    refuse("setpriority", not(0, 0)),
    refuse("ioprio_set", isThread(1)),
  ];
}

/** Limits of other processes, and the mark of one's own. */
const noForeignLimits: readonly Rule[] = [
  refuse("setrlimit", { argument: 0, equals: markResource }),
  ...([undefined, 1] as const).flatMap((half) => {
    const changes: Test = { ...not(2, 0), ...(half && { half }) };
    return [
      refuse("prlimit64", not(0, 0), changes),
      refuse("prlimit64", { argument: 1, equals: markResource }, changes),
    ];
  }),
];

/** What a granted program may not ask of the kernel. Everything else it may: what it reaches by it is Landlock's business. */
export const forbiddenCalls = (options: FilterOptions): readonly Rule[] => [
  ...never.map((call) => refuse(call)),
  ...absent.map((call): Rule => ({ call, error: ENOSYS, when: [] })),
  refuse("clone", { ...not(0, 0), mask: newNamespaces }),
  refuse("ioctl", { argument: 1, equals: [...typing, ...owning.ioctl] }),
  refuse("fcntl", { argument: 1, equals: owning.fcntl }),
  ...noSetIds(),
  ...sockets(options),
  ...noForeignLimits,
  ...(options.landlock < 3 ? noTruncate : []),
  ...(options.protect.length === 0 ? [] : protection(options.protect)),
];
