import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { version } from "../../package.json";
import { runExecutable, startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { until } from "../helpers/until.ts";

const publicModel = { MODEL_PROVIDER_KEY: "sk-test", OPENCLAW_AUTH_TOKEN: "a-long-enough-token" };

const served = (model: { url: string }) => ({
  MODEL_PROVIDER_ENDPOINT: model.url,
  MODEL_PROVIDER_MODEL: "scripted",
});

describe("openclaw", () => {
  test("prints its version and its help on stdout", async () => {
    expect(await runExecutable(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    const help = await runExecutable(["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("OPENCLAW_AUTH_TOKEN");
  });

  test("refuses a command or a flag that there is not, and names the nearest", async () => {
    const { code, stderr, stdout } = await runExecutable(["--chek"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("did you mean --check?");
    expect((await runExecutable(["--check", "--jsn"])).code).toBe(2);
    expect((await runExecutable(["run", "hello", "--sesion", "x"])).code).toBe(2);
    expect((await runExecutable(["serve", "now"])).code).toBe(2);
  });
});

describe("openclaw --check", () => {
  test("passes in an empty folder with nothing set, and leaves it empty", async () => {
    await using folder = await temporaryFolder();
    const { code, stdout, stderr } = await runExecutable(
      ["--check"],
      { HOME: folder.path },
      { cwd: folder.path },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^ok {4}turn /m);
    expect(stdout).not.toMatch(/^fail/m);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("tells programs the same as JSON, with the settings and their sources, secrets hidden", async () => {
    const { code, stdout } = await runExecutable(["--check", "--json"], {
      ...publicModel,
      OPENCLAW_PORT: "4711",
    });
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/sk-test|a-long-enough-token/);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      ok: true,
      version,
      settings: { OPENCLAW_PORT: { from: "OPENCLAW_PORT", shown: '"4711"' } },
    });
    expect(report.checks.map((check: { id: string }) => check.id)).toEqual(
      expect.arrayContaining(["settings", "store", "data", "page", "turn", "sandbox"]),
    );
  });

  test("ends with 2 for a setting that is wrong or unknown, and with 3 for a check that fails", async () => {
    expect((await runExecutable(["--check"], { OPENCLAW_PORT: "x" })).code).toBe(2);
    const unknown = await runExecutable(["--check"], { OPENCLAW_PROT: "1" });
    expect(unknown.code).toBe(2);
    expect(unknown.stdout).toContain("did you mean OPENCLAW_PORT?");
    const failing = await runExecutable(["--check"], {
      OPENCLAW_DATA_DIR: "/dev/null/no-folder",
    });
    expect(failing.code).toBe(3);
    expect(failing.stdout).toMatch(/^fail {2}data /m);
  });
});

describe("openclaw serve", () => {
  test("prints one block, answers at once, and ends with 0 on SIGTERM", async () => {
    await using server = await startExecutable({ OPENCLAW_PROT: "1" });
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    expect(server.stdout()).toContain(`openclaw ${version}`);
    expect(server.stdout()).toContain("did you mean OPENCLAW_PORT?");
    expect((await stat(join(server.folder, ".local/state/openclaw"))).mode & 0o777).toBe(0o700);
    expect(await server.stop("SIGTERM")).toBe(0);
  });

  test("ends with 2 and every problem at once", async () => {
    const { code, stdout, stderr } = await runExecutable([], {
      OPENCLAW_PORT: "70000",
      OPENCLAW_AUTONOMY: "wild",
      MODEL_PROVIDER: "openai",
      OPENCLAW_DRAIN_SECONDS: "long",
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const name of ["OPENCLAW_PORT", "OPENCLAW_AUTONOMY", "OPENCLAW_DRAIN_SECONDS"])
      expect(stderr).toContain(name);
  });

  test("refuses to be public without a token and a model, naming both", async () => {
    const { code, stderr } = await runExecutable([], { OPENCLAW_BIND_ADDRESS: "0.0.0.0" });
    expect(code).toBe(2);
    expect(stderr).toContain("openssl rand -hex 32");
    expect(stderr).toContain("MODEL_PROVIDER_KEY");
  });

  test("refuses a provider that lacks its key", async () => {
    const { code, stderr } = await runExecutable([], { MODEL_PROVIDER: "openai" });
    expect(code).toBe(2);
    expect(stderr).toContain("MODEL_PROVIDER_KEY");
  });

  test("resolves relative paths in the folder of the start", async () => {
    await using folder = await temporaryFolder();
    await using server = await startExecutable({ OPENCLAW_DATA_DIR: "state" }, { cwd: folder.path });
    expect(existsSync(join(folder.path, "state/openclaw.db"))).toBe(true);
    expect(await server.stop()).toBe(0);
  });

  test("says which setting to change when its port is taken", async () => {
    await using server = await startExecutable();
    const second = await runExecutable([], { OPENCLAW_PORT: new URL(server.url).port });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("OPENCLAW_PORT");
    expect(second.stdout).toBe("");
  });

  test("lets a running turn finish on SIGTERM", async () => {
    const { promise: stopping, resolve: goOn } = Promise.withResolvers<void>();
    await using model = scriptedModel([{ text: ["first ", "last"], gate: (index) => index > 0 && stopping }]);
    await using server = await startExecutable(served(model));
    const client = runExecutable(["run", "hello"], { OPENCLAW_BASE_URL: server.url });
    await until("the model is asked", () => model.pending() === 1);
    const ended = server.stop("SIGTERM");
    await until("it says that it stops", () => server.stderr().includes("Stopping"));
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(503);
    goOn();
    expect(await client).toMatchObject({ code: 0, stdout: "first last\n" });
    expect(await ended).toBe(0);
  });

  test("ends at once on the second signal, whatever runs", async () => {
    await using model = scriptedModel([{ hang: "body", text: ["first "] }]);
    await using server = await startExecutable(served(model));
    const client = runExecutable(["run", "hello"], { OPENCLAW_BASE_URL: server.url });
    await until("the model is asked", () => model.pending() === 1);
    const ended = server.stop("SIGTERM");
    await until("it says that it stops", () => server.stderr().includes("Stopping"));
    process.kill(server.pid, "SIGTERM");
    expect(await ended).toBe(1);
    expect((await client).code).toBe(1);
  });

  test("refuses the data folder of another process, naming it", async () => {
    await using server = await startExecutable();
    const second = await runExecutable([], {
      OPENCLAW_DATA_DIR: join(server.folder, ".local/state/openclaw"),
    });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(String(server.pid));
  });
});

describe("openclaw --health-check", () => {
  test("ends with 0 while a server lives and with 1 when none does, whatever proxy is named", async () => {
    await using server = await startExecutable();
    const env = {
      OPENCLAW_PORT: new URL(server.url).port,
      HTTP_PROXY: "http://127.0.0.1:9",
      http_proxy: "http://127.0.0.1:9",
    };
    expect(await runExecutable(["--health-check"], env)).toEqual({ code: 0, stdout: "", stderr: "" });
    await server.stop();
    expect((await runExecutable(["--health-check"], env)).code).toBe(1);
  });
});

describe("openclaw run", () => {
  test("streams one answer to stdout", async () => {
    await using server = await startExecutable();
    const { code, stdout, stderr } = await runExecutable(["run", "What", "time", "is it?"], {
      OPENCLAW_BASE_URL: server.url,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("demo");
    expect(stdout).toEndWith("\n");
  });

  test("prints every event as one line of JSON with --json", async () => {
    await using server = await startExecutable();
    const { code, stdout } = await runExecutable(["run", "What time is it?", "--json"], {
      OPENCLAW_BASE_URL: server.url,
    });
    expect(code).toBe(0);
    const types = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).type);
    expect(types).toEqual(
      expect.arrayContaining(["accepted", "tool_start", "tool_result", "assistant_chunk"]),
    );
    expect(types.at(-1)).toBe("assistant_done");
  });

  test("keeps what it said in the session that is named, with files and stdin joined", async () => {
    await using folder = await temporaryFolder();
    await Bun.write(join(folder.path, "notes.txt"), "text of the file\n");
    await using server = await startExecutable();
    const env = { OPENCLAW_BASE_URL: server.url };
    const args = ["run", "Words", "--file", "notes.txt", "--file", "-", "--session", "kept"];
    expect((await runExecutable(args, env, { cwd: folder.path, stdin: "text of stdin" })).code).toBe(0);
    const history = await (await fetch(`${server.url}/api/sessions/kept/messages`)).text();
    expect(history).toContain("Words\\n\\ntext of the file\\n\\ntext of stdin");
  });

  test("denies an approval when there is no terminal to ask on", async () => {
    await using work = await temporaryFolder();
    await using server = await startExecutable({
      OPENCLAW_WORKSPACE: work.path,
      OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
    });
    const { code, stdout, stderr } = await runExecutable(["run", "Write a file"], {
      OPENCLAW_BASE_URL: server.url,
    });
    expect(code).toBe(0);
    expect(stderr).toContain("needs an approval");
    expect(stderr).toContain(" = denied");
    expect(stdout).toContain("The tool answered: ");
    expect(stdout).not.toContain("Tool approval recorded");
    expect(await readdir(work.path)).toEqual([]);
  });

  test("says what to do when no server answers or the token is wrong", async () => {
    const nobody = await runExecutable(["run", "hello"], { OPENCLAW_BASE_URL: "http://127.0.0.1:9" });
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain("OPENCLAW_BASE_URL");

    await using server = await startExecutable({ OPENCLAW_AUTH_TOKEN: "the-right-token" });
    const env = { OPENCLAW_BASE_URL: server.url };
    const wrong = await runExecutable(["run", "hello"], { ...env, OPENCLAW_AUTH_TOKEN: "the-wrong-token" });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("OPENCLAW_AUTH_TOKEN");
    expect(
      (await runExecutable(["run", "hello"], { ...env, OPENCLAW_AUTH_TOKEN: "the-right-token" })).code,
    ).toBe(0);
  });
});

describe("openclaw chat", () => {
  test("takes lines until /exit, asks before a tool changes something, and goes on with its session", async () => {
    await using work = await temporaryFolder();
    await mkdir(join(work.path, "inside"));
    await using server = await startExecutable({
      OPENCLAW_WORKSPACE: work.path,
      OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
    });
    const stdin = "Write a file\ny\n/status\n/exit\nnever sent\n";
    const { code, stdout, stderr } = await runExecutable(
      ["chat", "--session", "talk"],
      { OPENCLAW_BASE_URL: server.url },
      { stdin },
    );
    expect(code).toBe(0);
    expect(stderr).toContain("Approval: write_file");
    expect(stdout).toContain("The tool answered: Created demo.txt");
    expect((await readdir(work.path)).length).toBeGreaterThan(1);
    expect(stdout).toContain("Session info:");
    const history = await (await fetch(`${server.url}/api/sessions/talk/messages`)).text();
    expect(history).toContain("Write a file");
    expect(history).not.toContain("never sent");
  });

  test("ends with 0 when stdin ends", async () => {
    await using server = await startExecutable();
    expect((await runExecutable(["chat"], { OPENCLAW_BASE_URL: server.url }, { stdin: "" })).code).toBe(0);
  });
});
