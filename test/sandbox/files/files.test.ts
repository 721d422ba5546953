import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { openBeneath, walkBeneath } from "../../../src/linux/open-beneath.ts";
import { until } from "../../helpers/until.ts";
import { aWorkspace, type Workspace } from "../workspace.ts";

let at: Workspace;
afterEach(() => at.remove());

describe.each([
  ["openat2", openBeneath],
  ["walk", walkBeneath],
])("lendFiles by %s", (_name, open) => {
  beforeEach(() => {
    at = aWorkspace({ openBeneath: open });
    writeFileSync(join(at.outside, "secret"), "SECRET");
    writeFileSync(join(at.data, "token"), "SECRET");
    mkdirSync(`${at.work}shop`);
    writeFileSync(join(`${at.work}shop`, "secret"), "SECRET");
    mkdirSync(join(at.work, "sub"));
    writeFileSync(join(at.work, "sub/file"), "inside");
    symlinkSync("../outside", join(at.work, "out"));
    symlinkSync(join(at.outside, "secret"), join(at.work, "absolute"));
    symlinkSync("../../outside/secret", join(at.work, "sub/leaf"));
    symlinkSync("../outside/new", join(at.work, "dangling"));
    symlinkSync("/proc/self", join(at.work, "proc"));
    symlinkSync("round", join(at.work, "round"));
  });

  const attacks = (): string[] => [
    "../outside/secret",
    "sub/../../outside/secret",
    "./././../outside/secret",
    join(at.outside, "secret"),
    `${at.work}/../outside/secret`,
    `${at.work}shop/secret`,
    "../workshop/secret",
    "out/secret",
    "absolute",
    "sub/leaf",
    "dangling",
    "proc/environ",
    "proc/root/etc/passwd",
    "round",
    ".data/token",
    "sub/../.data/token",
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/self/fd/0",
    "/dev/zero",
    "/sys/kernel/uevent_seqnum",
    "//etc/passwd",
    "file:///etc/passwd",
    "~/.bashrc",
    "sub\0/../../outside/secret",
    "n".repeat(256),
    "n/".repeat(3000),
    "",
    "..",
    "/",
  ];

  test("refuses to read whatever path leads outside, and says so", async () => {
    for (const path of attacks()) {
      for (const [name, input] of [
        ["read_file", { path }],
        ["list_files", { path }],
        ["list_files", { path, recursive: true }],
        ["search_files", { path, pattern: "e" }],
      ] as const) {
        const result = await at.call(name, input);
        const told = { path: path.slice(0, 60), name, text: result.text };
        expect(told.text).not.toContain("SECRET");
        if (result.status === "ok") expect(told.text).toContain("(Nothing found");
        else expect(told.text).toMatch(/^Cannot |^Cannot run /);
      }
    }
  });

  test("refuses to write whatever path leads outside, and changes nothing", async () => {
    const made: string[] = [];
    for (const path of attacks()) {
      const written = await at.call("write_file", { path, content: "mine" });
      if (written.status === "ok") made.push(path);
      const edited = await at.call("edit_file", { path, old_text: "SECRET", new_text: "mine" });
      expect({ path, status: edited.status }).not.toEqual({ path, status: "ok" });
    }
    // These two only look odd: they are names in the workspace.
    expect(made).toEqual(["file:///etc/passwd", "~/.bashrc"]);
    expect(readdirSync(at.outside)).toEqual(["secret"]);
    expect(readFileSync(join(at.outside, "secret"), "utf8")).toBe("SECRET");
    expect(readFileSync(join(at.data, "token"), "utf8")).toBe("SECRET");
    expect(readdirSync(at.data)).toEqual(["token"]);
    expect(readdirSync(`${at.work}shop`)).toEqual(["secret"]);
  });

  test("does not go through links when it searches or lists a tree", async () => {
    const listed = await at.call("list_files", { recursive: true });
    expect(listed.text.split("\n")[0]).toBe("sub/file");
    const found = await at.call("search_files", { pattern: "SECRET" });
    expect(found.text).toContain("(Nothing found");
  });

  test("never waits for a pipe and opens no socket or folder as a file", async () => {
    expect(Bun.spawnSync(["mkfifo", join(at.work, "pipe")]).exitCode).toBe(0);
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(at.work, "socket"), done));
    for (const path of ["pipe", "socket"]) {
      for (const [name, more] of [
        ["read_file", {}],
        ["write_file", { content: "" }],
        ["edit_file", { old_text: "a", new_text: "b" }],
      ] as const) {
        expect(await at.call(name, { path, ...more })).toMatchObject({
          status: "denied",
          text: expect.stringMatching(/a pipe|a socket/),
        });
      }
    }
    expect(await at.call("search_files", { pattern: "x" })).toMatchObject({ status: "ok" });
    expect(await at.call("read_file", { path: "sub" })).toMatchObject({
      status: "error",
      text: expect.stringContaining("it is a folder"),
    });
    expect(await at.call("write_file", { path: "sub", content: "" })).toMatchObject({ status: "error" });
    expect(await at.call("write_file", { path: "new/", content: "" })).toMatchObject({ status: "error" });
    await new Promise((done) => server.close(done));
  });

  test("replaces a file whole, keeps its rights, and breaks a hard link instead of writing through it", async () => {
    const file = join(at.work, "run.sh");
    writeFileSync(file, "old");
    chmodSync(file, 0o750);
    linkSync(file, join(at.outside, "linked"));
    expect(await at.call("write_file", { path: "run.sh", content: "new" })).toMatchObject({ status: "ok" });
    expect(readFileSync(file, "utf8")).toBe("new");
    expect(statSync(file).mode & 0o777).toBe(0o750);
    expect(readFileSync(join(at.outside, "linked"), "utf8")).toBe("old");
  });

  test("makes missing folders and leaves no draft behind", async () => {
    expect(await at.call("write_file", { path: "a/b/c.txt", content: "x" })).toMatchObject({
      status: "ok",
      text: "Created a/b/c.txt (1 bytes).",
    });
    expect(readdirSync(join(at.work, "a/b"))).toEqual(["c.txt"]);
  });

  test("leaves the file and no draft when a write is cancelled in the middle", async () => {
    writeFileSync(join(at.work, "big"), "old");
    const cancel = new AbortController();
    const content = "x".repeat(9_000_000);
    const call = at.call("write_file", { path: "big", content }, { signal: cancel.signal });
    queueMicrotask(() => cancel.abort());
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
    // A slow disk may still have a part of it to take, behind the answer.
    await until("no draft is left", () => !readdirSync(at.work).some((name) => name.endsWith(".tmp")));
    expect(readFileSync(join(at.work, "big"), "utf8")).toBe("old");
  });

  test("refuses to write more than it may, before anything is made", async () => {
    const content = "x".repeat(10 * 1024 * 1024 + 1);
    expect(await at.call("write_file", { path: "deep/huge", content })).toMatchObject({ status: "error" });
    expect(readdirSync(at.work)).not.toContain("deep");
  });

  test("lets edits of one file wait for each other, so that none is lost", async () => {
    const marks = Array.from({ length: 20 }, (_, index) => `<${index}>`);
    writeFileSync(join(at.work, "list"), marks.join("\n"));
    const edits = marks.map((mark) =>
      at.call("edit_file", { path: "list", old_text: mark, new_text: "done" }),
    );
    expect((await Promise.all(edits)).map((result) => result.status)).toEqual(marks.map(() => "ok"));
    expect(readFileSync(join(at.work, "list"), "utf8")).toBe(marks.map(() => "done").join("\n"));
  });
});

test("lendFiles follows a link that stays inside for reading, by openat2", async () => {
  at = aWorkspace();
  mkdirSync(join(at.work, "sub"));
  writeFileSync(join(at.work, "sub/file"), "inside");
  symlinkSync("sub", join(at.work, "link"));
  symlinkSync("sub/file", join(at.work, "leaf"));
  expect(await at.call("read_file", { path: "link/file" })).toMatchObject({ text: "inside" });
  expect(await at.call("read_file", { path: "leaf" })).toMatchObject({ text: "inside" });
  expect(await at.call("write_file", { path: "leaf", content: "x" })).toMatchObject({ status: "denied" });
});

test("lendFiles keeps the kernel's files and devices shut even under a root of /", async () => {
  // Never a write root of / in a test: a check that fails here would replace the machine's devices.
  at = aWorkspace({ readRoots: ["/"], writeRoots: ["/proc"] });
  const shut = [
    "/proc/self/environ",
    "/proc/version",
    "/sys/kernel/uevent_seqnum",
    "/dev/null",
    "/dev/zero",
    at.data,
  ];
  for (const path of shut) {
    expect(await at.call("read_file", { path })).toMatchObject({ status: "denied" });
    expect(await at.call("list_files", { path })).not.toMatchObject({ status: "ok" });
  }
  expect(await at.call("list_files", { path: "/proc" })).toMatchObject({ status: "denied" });
  const path = "/proc/self/oom_score_adj";
  expect(await at.call("write_file", { path, content: "0" })).toMatchObject({ status: "denied" });
});

test("lendFiles keeps reading and writing apart", async () => {
  at = aWorkspace({ readRoots: [], writeRoots: ["."] });
  expect(at.sandbox.offers.map((offer) => offer.name)).toEqual(["write_file", "edit_file", "time"]);
  at.remove();
  at = aWorkspace({ writeRoots: [] });
  expect(at.sandbox.offers.map((offer) => offer.name)).toEqual([
    "read_file",
    "list_files",
    "search_files",
    "time",
  ]);
  expect(await at.call("write_file", { path: "a", content: "" })).toMatchObject({
    status: "denied",
    reason: "not_granted",
  });
});

test("lendFiles says that the system refuses what this user may not open", async () => {
  at = aWorkspace();
  mkdirSync(join(at.work, "closed"));
  writeFileSync(join(at.work, "closed/file"), "SECRET");
  writeFileSync(join(at.work, "mine"), "SECRET");
  chmodSync(join(at.work, "mine"), 0o000);
  chmodSync(join(at.work, "closed"), 0o000);
  chmodSync(at.base, 0o755);
  const script = join(import.meta.dir, "../as-another-user.ts");
  const run = Bun.spawnSync([process.execPath, script, at.work]);
  chmodSync(join(at.work, "closed"), 0o700);
  const texts: string[] = JSON.parse(run.stdout.toString());
  expect(texts).toEqual([
    "Cannot read mine: the system does not let this server do that.",
    "Cannot read closed/file: the system does not let this server do that.",
    "Cannot read closed: the system does not let this server do that.",
    "Cannot write mine: the system does not let this server do that.",
    "(Nothing found. Files looked at: 1)\n[Folders that could not be opened: closed]\n[Files that could not be read: 1]",
  ]);
});
