import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { chown } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPrograms } from "../../../src/sandbox/processes/create-programs.ts";
import { describeHost } from "../../../src/sandbox/processes/describe-host.ts";
import { launchWord, policyVariable } from "../../../src/sandbox/processes/launch-policy.ts";
import { systemPaths } from "../../../src/sandbox/processes/system-folders.ts";
import { programSettings, sandboxed, stranger } from "../sandboxed.ts";

const isRoot = process.getuid?.() === 0;
const main = join(import.meta.dir, "../../../src/main.ts");

test("createPrograms says what this host offers, and what weakens it", async () => {
  await using box = await sandboxed();
  expect(box.programs.host).toMatchObject({
    works: true,
    text: expect.stringMatching(/^Landlock \d+, seccomp, namespaces/),
  });
  await using plain = await sandboxed({ namespaces: false, settings: { sandbox: "required" } });
  expect(plain.programs.host.text).toContain("no namespaces");
  if (isRoot) expect(plain.programs.host.warning).toContain("OPENCLAW_SANDBOX_USER");
});

test("describeHost says where later threads of the server are open to signals", () => {
  const text = (landlock: number, uid?: number, bubblewrap?: string) =>
    describeHost(
      "auto",
      { landlock, ...(bubblewrap !== undefined && { bubblewrap }) },
      { isRoot: false, ...(uid !== undefined && { user: { uid, gid: uid } }) },
    ).text;
  expect(text(5)).toContain("programs can signal later threads of this server");
  for (const other of [text(6), text(5, stranger), text(5, undefined, "/usr/bin/bwrap")])
    expect(other).not.toContain("later threads");
});

test("createPrograms refuses a user that is none, or is root", async () => {
  for (const sandboxUser of ["root", "0", "-1", "1000:x", "1:2:3"])
    await expect(
      createPrograms({ ...programSettings, sandboxUser }, { never: [], workspace: undefined }),
    ).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringContaining("OPENCLAW_SANDBOX_USER"),
    });
});

test("createPrograms without a sandbox still limits, cleans the environment and ends everything", async () => {
  await using box = await sandboxed({ settings: { sandbox: "none" } });
  expect(box.programs.host).toMatchObject({ works: false });
  const end = await box.sh(`cat ${box.canary}; setsid sleep 72000 & env | grep -c OPENCLAW`);
  expect(end.output).toBe("CANARY0\n");
  const eats = await box.run(["perl", "-e", 'my @a; push @a, "x" x 8_000_000 for 1..100; sleep 9']);
  expect(eats.limit).toBe("memory");
});

test("launch gives what starts a program in the sandbox, and ends all of it", async () => {
  await using box = await sandboxed(isRoot ? { owner: stranger } : {});
  const spec = { cwd: box.workspace, read: [], write: [box.workspace] };
  const started = await box.programs.launch({
    ...spec,
    stages: [
      [
        "sh",
        "-c",
        `echo in > $HOME/x; cat ${box.canary} > got; setsid sleep 73000 & echo $HOME >&4; sleep 73000`,
      ],
    ],
  });
  const child = Bun.spawn([...started.argv], {
    env: { ...started.environment },
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const said = child.stdio[4];
  if (typeof said !== "number") throw new Error("There is no pipe.");
  const reader = Bun.file(said).stream().getReader();
  const home = Buffer.from((await reader.read()).value ?? [])
    .toString()
    .trim();
  expect(existsSync(home)).toBe(true);
  child.kill("SIGKILL");
  await started.endAll();
  await child.exited;
  expect(existsSync(home)).toBe(false);
  expect(await Bun.file(join(box.workspace, "got")).text()).toBe("");
});

if (isRoot)
  test("launch refuses as root, and says how it can be mended", async () => {
    await using box = await sandboxed();
    const spec = { stages: [["true"]], cwd: box.workspace, read: [], write: [] };
    await expect(box.programs.launch(spec)).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("chown"),
    });
  });

test("the launcher does nothing by hand", async () => {
  const never = join(tmpdir(), `openclaw-never-${process.pid}`);
  const policies = [undefined, "", "{}", '{"confined":false}', "null"];
  const ends = policies.map((policy) =>
    Bun.spawnSync([process.execPath, main, launchWord, "touch", never], {
      env: policy === undefined ? {} : { [policyVariable]: policy },
    }),
  );
  expect(ends.map(({ exitCode }) => exitCode)).toEqual(policies.map(() => 125));
  expect(existsSync(never)).toBe(false);
});

test("systemPaths leaves out what may never be seen, wherever it lies", () => {
  const paths = systemPaths(["/usr/share/doc"], false);
  expect(paths).toContain("/usr/bin");
  expect(paths).toContain("/usr/share/zoneinfo");
  expect(paths).not.toContain("/usr");
  expect(paths).not.toContain("/usr/share");
  expect(paths).not.toContain("/usr/share/doc");
  expect(paths).not.toContain("/etc");
});

if (isRoot)
  test("createPrograms holds for a server that is an ordinary user", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stranger-"));
    try {
      chmodSync(folder, 0o755);
      await chown(folder, stranger, stranger);
      // A copy, because that user may not enter the folder of ours.
      const bun = join(folder, "bun");
      copyFileSync(process.execPath, bun);
      chmodSync(bun, 0o755);
      const user = [
        "--reuid",
        String(stranger),
        "--regid",
        String(stranger),
        "--clear-groups",
        "--bounding-set=-all",
      ];
      const child = Bun.spawn(
        [
          "setpriv",
          ...user,
          bun,
          "test",
          "--timeout=60000",
          join(import.meta.dir, "create-programs.test.ts"),
        ],
        {
          cwd: folder,
          env: { HOME: folder, TMPDIR: folder, PATH: "/usr/bin:/bin" },
          stdout: "ignore",
          stderr: "pipe",
        },
      );
      const said = await new Response(child.stderr).text();
      expect(said).toMatch(/\n 0 fail\n/);
      expect(await child.exited).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 300_000);
