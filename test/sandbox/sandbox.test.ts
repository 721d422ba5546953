import { afterEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { AppError } from "../../src/errors.ts";
import type { Lend } from "../../src/sandbox/sandbox.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { type AnyTool, type CallContext, defineTool, type ToolOutput } from "../../src/sandbox/tool.ts";
import { tools } from "../../src/tools/index.ts";
import { setUpLog } from "../../src/telemetry/log.ts";
import { aCaller, runCall } from "./workspace.ts";

const lend: Lend = { time: () => ({ now: () => 42 }) };

const aTool = (run: (call: CallContext) => Promise<ToolOutput>, more: Partial<AnyTool> = {}): AnyTool => ({
  ...defineTool({
    name: "probe",
    description: "Tries something.",
    needs: ["time"],
    effect: () => "reads",
    input: v.object({
      text: v.optional(v.string(), "none"),
      count: v.optional(v.pipe(v.number(), v.integer())),
    }),
    run: (_input, _can, call) => run(call),
  }),
  ...more,
});

const withTool = (tool: AnyTool, timeoutMs = 5000) =>
  createSandbox({ tools: [tool], lend, timeoutMs, timeoutMaxMs: 10_000, graceMs: 30 });

const runProbe = (
  run: (call: CallContext) => Promise<ToolOutput>,
  context: Partial<CallContext> = {},
  timeoutMs = 5000,
) => runCall(withTool(aTool(run), timeoutMs).prepare("probe", "{}"), context);

afterEach(() => setUpLog({ level: "info", pretty: false, sink: (line) => process.stderr.write(line) }));

const quiet = () => {
  const lines: string[] = [];
  setUpLog({ level: "info", pretty: false, sink: (line) => lines.push(line) });
  return lines;
};

describe("createSandbox", () => {
  test("offers only tools whose needs are all lent", () => {
    const sandbox = createSandbox({ tools, lend, timeoutMs: 1, timeoutMaxMs: 1 });
    expect(sandbox.names).toEqual(["time"]);
    expect(sandbox.offers.map((offer) => offer.name)).toEqual(["time"]);
    expect(sandbox.describe().map((tool) => tool.name)).toEqual(["time"]);
  });

  test("lends what a tool needs, made for the call, and nothing else", async () => {
    const callers: unknown[] = [];
    const notes: Lend["notes"] = () => {
      throw new Error("Notes were lent to a tool that does not need them.");
    };
    let held: unknown;
    const tool: AnyTool = {
      ...aTool(async () => ""),
      run: async (_input, can) => {
        held = Object.keys(can);
        return "";
      },
    };
    const sandbox = createSandbox({
      tools: [tool],
      lend: { notes, time: (caller) => ({ now: () => callers.push(caller) }) },
      timeoutMs: 1000,
      timeoutMaxMs: 1000,
    });
    await runCall(sandbox.prepare("probe", "{}"));
    expect(held).toEqual(["time"]);
  });
});

describe("prepare", () => {
  const sandbox = withTool(aTool(async () => ""));
  const faults = (text: string, problem?: string) => {
    const prepared = sandbox.prepare("probe", text, problem);
    if (prepared.ok) throw new Error(`Was accepted: ${prepared.argumentsJson}`);
    expect(prepared.result.status).toBe("error");
    return prepared.result.text;
  };

  test("names what there is when a tool is unknown", () => {
    for (const name of ["prober", "constructor", "__proto__", ""]) {
      expect(sandbox.prepare(name, "{}")).toMatchObject({
        ok: false,
        result: { status: "error", text: expect.stringContaining("There are: probe.") },
      });
    }
  });

  test.each([
    ["", { text: "none" }],
    ["{}", { text: "none" }],
    ['{"text":null,"count":null}', { text: "none" }],
    ['{"text":"a","count":3}', { text: "a", count: 3 }],
    ['"{\\"text\\":\\"a\\"}"', { text: "a" }],
  ])("takes the arguments %s", (text, input) => {
    const prepared = sandbox.prepare("probe", text);
    expect(prepared.ok && JSON.parse(prepared.argumentsJson)).toEqual(input);
  });

  test.each([
    ["{", "not valid JSON"],
    ['"text"', "not valid JSON"],
    ["[]", "must be one JSON object"],
    ["null", "must be one JSON object"],
    ["7", "must be one JSON object"],
    ['"7"', "must be one JSON object"],
    ["[".repeat(1000) + "]".repeat(1000), "must be one JSON object"],
    ["[".repeat(100_000), "not valid JSON"],
    [`{"text":${"[".repeat(1000)}${"]".repeat(1000)}}`, "text: Invalid type"],
    ['{"__proto__":{"text":"a"}}', "no parameter __proto__"],
    ['{"constructor":1}', "no parameter constructor"],
    ['{"count":1.5}', "count: Invalid integer"],
    [`{"text":${JSON.stringify(["x".repeat(1_000_000)])}}`, "text: Invalid type"],
  ])("refuses hostile arguments (case %#)", (text, why) => {
    const told = faults(text);
    expect(told).toContain(why);
    expect(told.length).toBeLessThan(1000);
  });

  test("tells all faults at once, bounded", () => {
    const told = faults('{"text":1,"count":"x","other":true,"more":{}}');
    for (const fault of ["text: ", "count: ", "no parameter other", "no parameter more"])
      expect(told).toContain(fault);
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`p${index}`.repeat(100), 1]));
    expect(faults(JSON.stringify(many)).length).toBeLessThan(10_000);
  });

  test("passes on what was wrong when the arguments were read", () => {
    expect(faults("{}", "The arguments were cut off.")).toContain("The arguments were cut off.");
  });

  test("denies a call of a tool that is not granted", () => {
    const bare = createSandbox({ tools, lend: {}, timeoutMs: 1, timeoutMaxMs: 1 });
    expect(bare.prepare("read_file", '{"path":"a"}')).toMatchObject({
      ok: false,
      result: { status: "denied", reason: "not_granted" },
    });
  });

  test("denies a call whose effect cannot be told", () => {
    const logged = quiet();
    const effect = () => {
      throw new Error("broken");
    };
    expect(withTool(aTool(async () => "", { effect })).prepare("probe", "{}")).toMatchObject({
      ok: false,
      result: { status: "denied" },
    });
    expect(logged).toHaveLength(1);
  });
});

describe("run", () => {
  test("gives what the tool answered, and its images", async () => {
    expect(await runProbe(async () => "fine")).toEqual({ status: "ok", text: "fine", images: [] });
    expect(await runProbe(async () => ({ text: "seen", images: ["data:image/png;base64,"] }))).toMatchObject({
      images: ["data:image/png;base64,"],
    });
  });

  test("says so when there is nothing, cuts what is too long, and makes control characters harmless", async () => {
    expect((await runProbe(async () => "")).text).toBe("(The tool answered with nothing.)");
    const long = await runProbe(async () => "x".repeat(300_000));
    expect(long.text.length).toBeLessThan(100_200);
    expect(long.text).toEndWith("[Cut here: 200000 more characters are left out. Ask for less.]");
    expect((await runProbe(async () => "a\x1b[2Jb\0c\r\nd\u009b\ud800")).text).toBe("a␛[2Jb␀c\nd��");
  });

  test("turns a refusal into a result, a forbidden one into a denial", async () => {
    const bad = await runProbe(() =>
      Promise.reject(new AppError("bad_request", "Cannot do that: it is wrong.")),
    );
    expect(bad).toEqual({ status: "error", text: "Cannot do that: it is wrong.", images: [] });
    const forbidden = await runProbe(() => Promise.reject(new AppError("forbidden", "Cannot: not granted.")));
    expect(forbidden).toMatchObject({ status: "denied", reason: "not_granted" });
  });

  test("logs an unknown failure whole and shows one sentence of it", async () => {
    const logged = quiet();
    const thrown = await runProbe(() => {
      throw new TypeError("secret detail");
    });
    expect(thrown.status).toBe("error");
    expect(thrown.text).not.toContain("secret detail");
    expect(logged.join()).toContain("secret detail");
  });

  test("stops a call at its time, whether it listens or not", async () => {
    const listens = await runProbe(
      ({ signal }) => new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason))),
      {},
      10,
    );
    const deaf = await runProbe(() => new Promise(() => {}), {}, 10);
    for (const result of [listens, deaf]) {
      expect(result).toMatchObject({
        status: "timeout",
        text: expect.stringContaining("longer than 0.01 seconds"),
      });
    }
  });

  test("keeps the answer of a call that ended while it was being stopped", async () => {
    const late = await runProbe(
      ({ signal }) =>
        new Promise((done) => signal.addEventListener("abort", () => done("written after all"))),
      {},
      10,
    );
    expect(late).toMatchObject({ status: "ok", text: "written after all" });
  });

  test("grants a call the time that it asks for, up to the maximum", async () => {
    const input = v.object({ timeout_seconds: v.optional(v.number()) });
    const tool = { ...aTool(() => new Promise<string>(() => {})), input };
    const sandbox = createSandbox({ tools: [tool], lend, timeoutMs: 5000, timeoutMaxMs: 6000, graceMs: 1 });
    const quick = await runCall(sandbox.prepare("probe", '{"timeout_seconds":0.02}'));
    expect(quick.text).toContain("longer than 0.02 seconds");
    const most = createSandbox({ tools: [tool], lend, timeoutMs: 10, timeoutMaxMs: 20, graceMs: 1 });
    expect((await runCall(most.prepare("probe", '{"timeout_seconds":900}'))).text).toContain(
      "longer than 0.02 seconds",
    );
  });

  test("throws cancelled when the turn was, and only then", async () => {
    const cancel = new AbortController();
    const running = runProbe(() => new Promise(() => {}), { signal: cancel.signal });
    cancel.abort();
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
    await expect(runProbe(async () => "", { signal: cancel.signal })).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  test("passes on who calls, and lets nothing be told after the end", async () => {
    const told: string[] = [];
    let late: (() => void) | undefined;
    await runProbe(
      async ({ caller, emit }) => {
        expect(caller).toEqual(aCaller);
        emit("half\x1b");
        late = () => emit("too late");
        return new Promise(() => {});
      },
      { emit: (text) => told.push(text) },
      10,
    );
    late?.();
    expect(told).toEqual(["half␛"]);
  });

  test("leaves no listener on the turn's signal", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    await runProbe(async () => "", { signal });
    await runProbe(() => new Promise(() => {}), { signal }, 5);
    expect(listeners).toBe(0);
  });
});
