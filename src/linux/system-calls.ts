import { dlopen, FFIType, ptr, read } from "bun:ffi";

/** Numbers of the calls that we make or forbid: on x64, and on arm64 where it has them. Source: the kernel's unistd headers. */
const table = {
  acct: [163, 89],
  add_key: [248, 217],
  adjtimex: [159, 171],
  bind: [49, 200],
  bpf: [321, 280],
  capset: [126, 91],
  chdir: [80, 49],
  chmod: [90, undefined],
  chroot: [161, 51],
  clock_adjtime: [305, 266],
  clock_settime: [227, 112],
  clone: [56, 220],
  clone3: [435, 435],
  close_range: [436, 436],
  creat: [85, undefined],
  delete_module: [176, 106],
  execve: [59, 221],
  fanotify_init: [300, 262],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  fcntl: [72, 25],
  finit_module: [313, 273],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fspick: [433, 433],
  getxattr: [191, 8],
  init_module: [175, 105],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_uring_setup: [425, 425],
  ioctl: [16, 29],
  ioperm: [173, undefined],
  iopl: [172, undefined],
  ioprio_set: [251, 30],
  kcmp: [312, 272],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  kill: [62, 129],
  landlock_add_rule: [445, 445],
  landlock_create_ruleset: [444, 444],
  landlock_restrict_self: [446, 446],
  listen: [50, 201],
  listmount: [458, 458],
  lookup_dcookie: [212, 18],
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  migrate_pages: [256, 238],
  mknod: [133, undefined],
  mknodat: [259, 33],
  modify_ldt: [154, undefined],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  move_pages: [279, 239],
  mq_open: [240, 180],
  msgget: [68, 186],
  name_to_handle_at: [303, 264],
  open: [2, undefined],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  open_tree_attr: [467, 467],
  openat: [257, 56],
  openat2: [437, 437],
  perf_event_open: [298, 241],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  pipe2: [293, 59],
  pivot_root: [155, 41],
  prctl: [157, 167],
  prlimit64: [302, 261],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  reboot: [169, 142],
  request_key: [249, 218],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
  sched_setaffinity: [203, 122],
  sched_setattr: [314, 274],
  sched_setparam: [142, 118],
  sched_setscheduler: [144, 119],
  seccomp: [317, 277],
  semget: [64, 190],
  sendmmsg: [307, 269],
  sendmsg: [46, 211],
  sendto: [44, 206],
  setdomainname: [171, 162],
  setgroups: [116, 159],
  sethostname: [170, 161],
  setns: [308, 268],
  setpriority: [141, 140],
  setresgid: [119, 149],
  setresuid: [117, 147],
  setrlimit: [160, 164],
  setsid: [112, 157],
  settimeofday: [164, 170],
  shmget: [29, 194],
  socket: [41, 198],
  socketpair: [53, 199],
  statmount: [457, 457],
  swapoff: [168, 225],
  swapon: [167, 224],
  syslog: [103, 116],
  tgkill: [234, 131],
  tkill: [200, 130],
  truncate: [76, 45],
  umount2: [166, 39],
  unshare: [272, 97],
  userfaultfd: [323, 282],
  uselib: [134, undefined],
  vhangup: [153, 58],
  wait4: [61, 260],
} as const;

export type CallName = keyof typeof table;
export type Architecture = "x64" | "arm64";

/** The number of a call; undefined where the architecture does not have it. */
export const callNumber = (name: CallName, architecture: Architecture): number | undefined =>
  table[name][architecture === "x64" ? 0 : 1];

/** What we run on. Throws on anything else: a filter for the wrong one would let everything through. */
export function ownArchitecture(): Architecture {
  if (process.arch === "x64" || process.arch === "arm64") return process.arch;
  throw new Error(`There is no sandbox for the architecture ${process.arch}.`);
}

/** A buffer is passed by its address, and lives at least as long as the call. */
export type CallArgument = number | bigint | NodeJS.TypedArray;

export interface Kernel {
  /** Makes a system call; returns its result, or the negative number of its error. */
  try(name: CallName, ...args: readonly CallArgument[]): number;
  /** The same; throws for an error. */
  call(name: CallName, ...args: readonly CallArgument[]): number;
  /** Where a buffer lies, to be written into another; it must outlive the call. */
  addressOf(buffer: NodeJS.TypedArray): bigint;
}

function load(): Kernel {
  const architecture = ownArchitecture();
  const word = FFIType.i64_fast;
  const { symbols } = dlopen("libc.so.6", {
    syscall: { args: [word, word, word, word, word, word, word], returns: word },
    __errno_location: { args: [], returns: FFIType.ptr },
  });
  const errno = symbols.__errno_location();
  if (errno === null) throw new Error("The C library does not say where errno is.");
  const attempt = (name: CallName, args: readonly CallArgument[]) => {
    const number = callNumber(name, architecture);
    if (number === undefined) throw new Error(`There is no system call ${name} on ${architecture}.`);
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args.map((arg) =>
      typeof arg === "object" ? (arg.byteLength === 0 ? 0 : Number(ptr(arg))) : arg,
    );
    const result = Number(symbols.syscall(number, a, b, c, d, e, f));
    // Read at once: anything in between could make a call of its own and overwrite it.
    return result === -1 ? -read.i32(errno, 0) : result;
  };
  return {
    try: (name, ...args) => attempt(name, args),
    call(name, ...args) {
      const result = attempt(name, args);
      if (result < 0) throw new Error(`The system call ${name} failed with error ${-result}.`);
      return result;
    },
    addressOf: (buffer) => BigInt(ptr(buffer)),
  };
}

let loaded: Kernel | undefined;

/** The way to the kernel, opened when it is first asked for. Throws where there is no glibc. */
export const kernel = (): Kernel => (loaded ??= load());
