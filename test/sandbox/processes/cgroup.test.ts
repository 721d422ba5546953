import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCallGroup } from "../../../src/sandbox/processes/call-group.ts";
import { findPlaces } from "../../../src/sandbox/processes/cgroup-places.ts";
import { findCallGroups } from "../../../src/sandbox/processes/cgroup.ts";
import { reapOrphans } from "../../../src/sandbox/processes/end-programs.ts";
import { sweepPrivateFolders } from "../../../src/sandbox/processes/private-folder.ts";
import { isLeftOver, processName } from "../../../src/sandbox/processes/process-name.ts";
import { until } from "../../helpers/until.ts";
import { sandboxed } from "../sandboxed.ts";

const none = () => false;

test("findPlaces takes version 2 where it has the controller, and version 1 for what is left", () => {
  const mounts = [
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids",
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
  ].join("\n");
  const cgroup = "8:pids:/\n4:memory:/jobs/7\n1:name=systemd:/\n0::/\n";
  expect(findPlaces(cgroup, mounts, none)).toEqual([
    { version: 1, controllers: ["pids"], folder: "/sys/fs/cgroup/pids", top: true },
    { version: 1, controllers: ["memory"], folder: "/sys/fs/cgroup/memory/jobs/7", top: false },
  ]);
  expect(findPlaces(cgroup, mounts, (_, controller) => controller === "memory")).toEqual([
    { version: 2, controllers: ["memory"], folder: "/sys/fs/cgroup/unified", top: true },
    { version: 1, controllers: ["pids"], folder: "/sys/fs/cgroup/pids", top: true },
  ]);
});

test("findPlaces finds the group of a container, and nothing that is read-only or outside of it", () => {
  const all = () => true;
  const mount = (root: string, flags = "rw") =>
    `30 23 0:26 ${root} /sys/fs/cgroup ${flags},nosuid - cgroup2 cgroup rw`;
  const found = { version: 2, controllers: ["pids", "memory"], folder: "/sys/fs/cgroup", top: true } as const;
  expect(findPlaces("0::/", mount("/"), all)).toEqual([found]);
  expect(findPlaces("0::/openclaw-server", mount("/"), all)).toEqual([found]);
  expect(findPlaces("0::/docker/a", mount("/docker/a"), all)).toEqual([found]);
  expect(findPlaces("0::/system.slice/a", mount("/"), all)).toEqual([
    { ...found, folder: "/sys/fs/cgroup/system.slice/a", top: false },
  ]);
  expect(findPlaces("0::/", mount("/", "ro"), all)).toEqual([]);
  expect(findPlaces("0::/docker/ab", mount("/docker/a"), all)).toEqual([]);
  expect(findPlaces("0::/../b", mount("/"), all)).toEqual([]);
  expect(findPlaces("", "", all)).toEqual([]);
  expect(findPlaces("nonsense\n\0", "a b\n - \n", all)).toEqual([]);
});

test("isLeftOver is sure that the process is gone: same namespace, another start, a name of ours", () => {
  const [space = "", pid = "", start = ""] = processName().split("-");
  expect(isLeftOver(`x-${space}-${pid}-${start}-1`, "x-")).toBe(false);
  expect(isLeftOver(`x-${space}-${pid}-${Number(start) + 1}-1`, "x-")).toBe(true);
  expect(isLeftOver(`x-${space}-${pid}-${Number(start) + 1}`, "x-")).toBe(true);
  expect(isLeftOver(`x-${Number(space) + 1}-${pid}-${Number(start) + 1}-1`, "x-")).toBe(false);
  for (const name of ["x-", "x-1-2", "y-1-2-3", `x-${space}-${pid}-0-1`, `x-${space}-../..-1`])
    expect(isLeftOver(name, "x-")).toBe(false);
});

test("sweepPrivateFolders removes folders of servers that are gone, and no other", async () => {
  const [space = "", pid = "", start = ""] = processName().split("-");
  const dead = mkdtempSync(join(tmpdir(), `openclaw-call-${space}-${pid}-${Number(start) + 1}-`));
  mkdirSync(join(dead, "a"));
  writeFileSync(join(dead, "a/b"), "");
  const living = mkdtempSync(join(tmpdir(), `openclaw-call-${processName()}-`));
  const other = mkdtempSync(join(tmpdir(), "openclaw-call-"));
  try {
    await sweepPrivateFolders(undefined);
    expect([dead, living, other].map((path) => existsSync(path))).toEqual([false, true, true]);
  } finally {
    rmdirSync(living);
    rmdirSync(other);
  }
});

const pids = "/sys/fs/cgroup/pids";
const named = () => readdirSync(pids).filter((name) => name.startsWith(`openclaw-call-${processName()}`));
/** Of calls of other test files of this process, which may end only now. */
const foreign = new Set(existsSync(pids) ? named() : []);
const ours = () => named().filter((name) => !foreign.has(name));
const groups = findCallGroups();

// The machine's own file system says whether that can be seen here.
if (groups?.controllers.includes("pids") && existsSync(join(pids, "cgroup.procs"))) {
  // At most 200 forks, whatever holds or does not.
  const bomb = `my $n = 0; for (1..200) { my $p = fork; last unless defined $p; if (!$p) { sleep 20; exit } $n++; print "$n\\n" }`;

  test.each([{ namespaces: false }, { namespaces: true }])(
    "createPrograms holds a fork bomb at the limit: %p",
    async ({ namespaces }) => {
      await using box = await sandboxed({ namespaces, settings: { processCount: 20 } });
      expect(box.programs.host.text).toContain("number by cgroup");
      expect(box.programs.host.text).toContain(
        groups.controllers.includes("memory") ? "memory by cgroup" : "memory by a watch",
      );
      const end = await box.run(["perl", "-e", `$| = 1; ${bomb}`]);
      // Each number is said before the next fork: at the one that is refused the call ends.
      expect([end.limit, end.output.trim().split("\n").at(-1)]).toEqual(["processes", "19"]);
      expect(ours()).toEqual([]);
    },
  );

  test("createPrograms lets a call with one process alone run, and a pipeline share the number", async () => {
    await using box = await sandboxed({ namespaces: false, settings: { processCount: 1 } });
    expect(await box.run(["echo", "one"])).toMatchObject({ exitCode: 0, output: "one\n" });
    expect((await box.sh("true | true; echo $?")).limit).toBe("processes");
    await using more = await sandboxed({ namespaces: false, settings: { processCount: 3 } });
    const stages = [["echo", "a"], ["cat"], ["cat"]];
    expect(await more.run([], { stages })).toMatchObject({ exitCode: 0, output: "a\n" });
    expect(ours()).toEqual([]);
  });

  test.each([{ namespaces: false }, { namespaces: true }])(
    "a program cannot leave its group, and has no descriptor of it: %p",
    async ({ namespaces }) => {
      await using box = await sandboxed({ namespaces });
      const descriptors = "for n in 3 4 5 6 7; do (echo 0 >&$n) 2>/dev/null && echo open $n; done";
      const files = `for f in ${pids}/cgroup.procs ${pids}/tasks; do (echo 0 > $f) 2>/dev/null && echo left; done`;
      expect((await box.sh(`${descriptors}; ${files}; ls ${pids} 2>/dev/null; echo end`)).output).toBe(
        "end\n",
      );
    },
  );

  test("findCallGroups ends and removes what a server left that is gone, and nothing else", async () => {
    const [space = "", pid = "", start = ""] = processName().split("-");
    const dead = join(pids, `openclaw-call-${space}-${pid}-${Number(start) + 1}-1`);
    const other = join(pids, `openclaw-other-${process.pid}`);
    mkdirSync(dead);
    mkdirSync(other);
    const child = Bun.spawn(["sleep", "60"]);
    try {
      writeFileSync(join(dead, "cgroup.procs"), String(child.pid));
      findCallGroups();
      await child.exited;
      expect(child.signalCode).toBe("SIGKILL");
      // The kernel may take a moment until it knows the group as empty; what stays is the next look's.
      await until("the group is gone", () => (findCallGroups(), !existsSync(dead)));
      expect(existsSync(other)).toBe(true);
      expect(readFileSync(join(other, "cgroup.procs"), "utf8")).toBe("");
    } finally {
      rmdirSync(other);
      if (existsSync(dead)) rmdirSync(dead);
    }
  });
}

const unified = "/sys/fs/cgroup/unified";

// Version 2 without its controllers: joining, ending all at one moment and removing are the same with them.
if (process.getuid?.() === 0 && existsSync(join(unified, "cgroup.procs")))
  test("openCallGroup ends all members of a group of version 2 at one moment", async () => {
    const place = { version: 2, controllers: [], folder: unified, top: true } as const;
    const name = `openclaw-call-${processName()}-test`;
    const group = openCallGroup([place], name, { memoryBytes: 1e9, processes: 20 });
    const child = Bun.spawn(
      ["sh", "-c", `echo 0 > "$0" && (setsid sleep 60 & sleep 60 & echo in; wait)`, ...group.joins],
      {
        stdout: "pipe",
      },
    );
    await child.stdout.getReader().read();
    expect(group.over()).toBeUndefined();
    group.end();
    await child.exited;
    await group.remove();
    // Orphans of the group came to us, if an earlier test made us their subreaper.
    await reapOrphans(50);
    expect([child.signalCode, existsSync(join(unified, name))]).toEqual(["SIGKILL", false]);
  });
