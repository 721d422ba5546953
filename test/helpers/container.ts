import type { Ended } from "./executable.ts";

/** An unpacked image, and what a person adds to it to start a container. */
export interface Container {
  /** Folder with the root of the image; what a runtime mounts on is made in it. */
  readonly root: string;
  /** Folder that is mounted at /work, writable. */
  readonly work: string;
  readonly entrypoint: readonly string[];
  /** Id of the user and of the group. */
  readonly user: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface RunningContainer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`: the network is that of the host. */
  readonly url: string;
  /** What `docker exec` does: runs words in there, with more variables, and resolves to the exit code. */
  exec(words: readonly string[], env: Readonly<Record<string, string>>): Promise<number>;
  /** Leaves the first process a child of a parent that is gone. */
  leaveOrphan(): void;
  /** Resolves when the first process has no children, dead or alive. */
  orphansGone(): Promise<void>;
  /** Sends SIGTERM to the first process and resolves to its exit code. */
  stop(): Promise<number>;
}

const limitMs = 20_000;

/**
 * What a container runtime adds to an image: /proc and /dev/null, a writable /data with the owner and mode of the
 * image's own, a workspace, all else read-only, no new privileges, and the program as the first process.
 */
const enter = `
set -e
root=$1 work=$2 user=$3
shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mkdir -p "$root/proc" "$root/dev" "$root/work"
: >> "$root/dev/null"
chown "$user:$user" "$work"
mount -t tmpfs -o "$(stat -c 'mode=%a,uid=%u,gid=%g' "$root/data")" data "$root/data"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount --bind "$work" "$root/work"
mount -t proc proc "$root/proc"
mount --bind /dev/null "$root/dev/null"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$user:$user" "$root" "$@"`;

const path = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };

function spawn({ root, work, user, entrypoint, env }: Container, args: readonly string[]) {
  const words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", enter, "sh"];
  return Bun.spawn([...words, root, work, String(user), ...entrypoint, ...args], {
    env: { ...env, ...path },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 3 * limitMs,
    killSignal: "SIGKILL",
  });
}

/** Runs the program of the image to its end. */
export async function runInImage(container: Container, args: readonly string[]): Promise<Ended> {
  const child = spawn(container, args);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

const childrenOf = async (pid: number) =>
  (await Bun.file(`/proc/${pid}/task/${pid}/children`).text()).trim().split(" ").filter(Boolean).map(Number);

/** Starts the program of the image as a server. Throws, with what it wrote, when it prints no address. */
export async function startContainer(container: Container): Promise<RunningContainer> {
  const child = spawn(container, []);
  const errors = new Response(child.stderr).text();
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  let block = "";
  for await (const bytes of child.stdout) {
    block += new TextDecoder().decode(bytes);
    if (block.includes("/chat\n")) break;
  }
  const port = /:(\d+)\/chat$/m.exec(block)?.[1];
  const [first] = port === undefined ? [] : await childrenOf(child.pid);
  if (first === undefined) {
    await kill();
    throw new Error(`The container printed no address: ${block}${await errors}`);
  }
  const inside = ["nsenter", "--target", String(first), "--pid"];
  return {
    url: `http://127.0.0.1:${port}`,
    exec: (words, env) => {
      const asUser = [`--setuid=${container.user}`, `--setgid=${container.user}`];
      return Bun.spawn([...inside, "--mount", "--root", "--wd", ...asUser, ...words], {
        env: { ...container.env, ...path, ...env },
        stdin: "ignore",
        timeout: limitMs,
      }).exited;
    },
    leaveOrphan() {
      const made = Bun.spawnSync([...inside, "/bin/sh", "-c", "true & exit"], { timeout: limitMs });
      if (!made.success) throw new Error(`No orphan could be made: ${made.stderr.toString()}`);
    },
    async orphansGone() {
      const late = Date.now() + limitMs;
      while ((await childrenOf(first)).length > 0) {
        if (Date.now() > late) throw new Error(`Process 1 keeps ${await childrenOf(first)}.`);
        await Bun.sleep(50);
      }
    },
    async stop() {
      process.kill(first, "SIGTERM");
      return child.exited;
    },
    [Symbol.asyncDispose]: kill,
  };
}
