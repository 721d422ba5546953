export interface Namespaces {
  /** Paths that stay writable; all else is read-only for it. */
  readonly write: readonly string[];
  /** True cuts it off from every network, loopback too. */
  readonly network: boolean;
}

/**
 * The words that start a command in namespaces of its own: no other process is seen or signalled, and everything ends with
 * its first one. What may be read in there is Landlock's business.
 */
export const bubblewrapWords = (program: string, { write, network }: Namespaces): readonly string[] => [
  program,
  "--die-with-parent",
  ...["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
  ...(network ? ["--unshare-net"] : []),
  ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"],
  ...write.flatMap((path) => ["--bind", path, path]),
  "--",
];
