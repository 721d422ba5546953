import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { childrenOf } from "../../../src/linux/marked.ts";
import { createJavaScript, type JavaScript } from "../../../src/sandbox/code/javascript.ts";
import { workedMs } from "../../helpers/worked-ms.ts";

// Some of what the interpreter runs here takes long.
setDefaultTimeout(60_000);

const limits = { atOnce: 2, idleMs: 30_000 };

let js: JavaScript;
beforeAll(() => {
  js = createJavaScript(limits);
});
afterAll(() => js.close());

/** Processes of the interpreter that are there now. */
const processes = () =>
  childrenOf(process.pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("run-javascript");
    } catch {
      // It ended meanwhile.
      return false;
    }
  });

/** Longer than any code here needs on a slow machine. */
const patienceMs = 50_000;

const run = (code: string) => js.run(code, () => {}, AbortSignal.timeout(patienceMs), "anna");

describe("createJavaScript", () => {
  test.each([
    ["1 + 1", "2"],
    ["const a = await Promise.resolve(20); const b = (async () => 1)(); a * 2 + await b", "41"],
    ["let x = {a: [1, 'two', null, undefined, 3n, -0]}; x", '{ a: [ 1, "two", null, undefined, 3n, -0 ] }'],
    ["const o = {}; o.self = o; o", "{ self: [Circular] }"],
    ["new Map([[1, new Set(['a'])]])", 'Map { 1 => Set { "a" } }'],
    [
      "({ get a() { throw 1 }, f() {}, C: class C {}, r: /x/g })",
      "{ a: [Getter], f: [Function f], C: [class C], r: /x/g }",
    ],
    ["new Date(0)", "1970-01-01T00:00:00.000Z"],
    ["[...Array(200).keys()].length", "200"],
    ["'ümlaut 😀'", '"ümlaut 😀"'],
    [
      "typeof process + typeof require + typeof Bun + typeof fetch + typeof postMessage + typeof WebAssembly",
      `"${"undefined".repeat(6)}"`,
    ],
    [
      "Object.getOwnPropertyNames(globalThis).filter((n) => /^[a-z]/.test(n)).sort().join()",
      '"console,decodeURI,decodeURIComponent,encodeURI,encodeURIComponent,escape,eval,globalThis,isFinite,isNaN,parseFloat,parseInt,undefined,unescape"',
    ],
  ])("createJavaScript runs %j", async (code, value) => {
    const end = await run(code);
    expect(end).toMatchObject({ exitCode: 0, cutBytes: 0 });
    expect(end.value?.replace(/,?(queueMicrotask|performance)/g, "")).toBe(value);
  });

  test("createJavaScript answers without a value where there is none", async () => {
    expect(await run("console.log('x'); undefined")).toEqual({ exitCode: 0, output: "x\n", cutBytes: 0 });
  });

  test("createJavaScript streams what console prints, from both streams, and keeps it", async () => {
    const heard: string[] = [];
    const code =
      "console.log('one', {a: 1}, [2]); console.error('two'); console.info(3); console.warn(); null";
    const end = await js.run(
      code,
      (text, stream) => heard.push(`${stream}:${text}`),
      AbortSignal.timeout(patienceMs),
      "anna",
    );
    expect(end).toMatchObject({ exitCode: 0, output: "one { a: 1 } [ 2 ]\ntwo\n3\n\n", value: "null" });
    expect(heard).toEqual(["stdout:one { a: 1 } [ 2 ]\n", "stderr:two\n", "stdout:3\n", "stderr:\n"]);
  });

  test.each([
    ["throw new TypeError('no')", /^TypeError: no\n {4}at <eval> \(code.js:1:\d+\)\n$/],
    ["let x = ;", /^SyntaxError: /],
    ["await Promise.reject(new Error('late'))", /^Error: late\n/],
    ["throw {a: 1}", /^\{ a: 1 \}\n$/],
    ["throw null", /^null\n$/],
    ["throw { toString() { throw 1 }, get stack() { throw 2 } }", /./],
    ["fetch('http://localhost')", /ReferenceError: 'fetch' is not defined/],
    ["require('fs')", /ReferenceError: 'require' is not defined/],
    ["await import('fs')", /could not load module/],
    ["import fs from 'fs'", /^SyntaxError/],
    ["setTimeout(() => {}, 1)", /'setTimeout' is not defined/],
    ["await new Promise(() => {})", /waits for a promise that nothing will settle/],
    ["function f() { return f() + 1 } f()", /^InternalError: stack overflow/],
    ["eval('['.repeat(1e5))", /^InternalError: stack overflow/],
    [
      "let o = {}; for (let i = 0; i < 2e4; i++) o = {o}; JSON.stringify(o)",
      /^InternalError: stack overflow/,
    ],
    ["Array.prototype.map = () => { throw 1 }; console.log(1)", /^1\n$/],
    ["2n ** (2n ** 40n)", /^RangeError: BigInt is too large/],
    ["new ArrayBuffer(2 ** 40)", /^RangeError/],
  ])("createJavaScript ends %j with what it threw", async (code, output) => {
    const end = await run(code);
    expect(end.exitCode).toBe(1);
    expect(end.output).toMatch(output);
  });

  test.each([
    ["const a = []; for (;;) a.push('x'.repeat(1e5) + a.length)"],
    ["const a = []; for (;;) a.push(new ArrayBuffer(1e6))"],
    ["let s = 'x'; for (;;) s += s"],
    ["new Array(2 ** 32 - 1).fill(1)"],
    ["const a = []; for (;;) a.push([])"],
  ])("createJavaScript ends %j at its memory limit", async (code) => {
    const end = await run(code);
    expect(end.limit ?? end.output).toMatch(/^memory$|too l(arge|ong)/);
    // The next one has all of its memory again.
    expect(await run("new ArrayBuffer(3e7).byteLength")).toMatchObject({ value: "30000000" });
  });

  test.each([
    ["for (;;);"],
    ["for (;;) console.log('x'.repeat(1000))"],
    ["/(a+)+$/.test('a'.repeat(40) + 'b')"],
    ["new Proxy({}, { ownKeys() { for (;;); } })"],
    ["const again = () => Promise.resolve().then(again); await again()"],
    ["throw { get name() { for (;;); } }"],
    ["try { for (;;); } finally { for (;;); }"],
    // The interpreter never asks in these whether it may go on.
    ["'a'.repeat(2e7).indexOf('a'.repeat(1e7) + 'b')"],
    ["Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)"],
    ["const b = 'a'.repeat(1e6); for (;;) b.split('').sort().join('')"],
  ])("createJavaScript ends %j at the signal, and the server is not held up", async (code) => {
    const controller = new AbortController();
    const before = processes();
    let longest = 0;
    let worked = workedMs();
    let turns = 0;
    const watch = setInterval(() => {
      turns += 1;
      longest = Math.max(longest, workedMs() - worked);
      worked = workedMs();
      // The code runs on, so each of these turns has come while it did.
      if (turns === 20) controller.abort();
    }, 5);
    const end = await js.run(code, () => {}, controller.signal, "anna");
    clearInterval(watch);
    // Whatever it was, it is gone.
    expect(processes().filter((pid) => !before.includes(pid))).toEqual([]);
    // The chain of promises may use up its memory before.
    expect(end.signal ?? end.limit ?? end.exitCode).not.toBe(0);
    expect(end.output.length).toBeLessThan(34_000);
    expect(longest).toBeLessThan(150);
    expect(await run("1")).toMatchObject({ value: "1" });
  });

  test("createJavaScript gives a flood back with its middle left out, and streams only its beginning", async () => {
    let streamed = 0;
    const code = "for (let i = 0; i < 60000; i++) console.log('line ' + i)";
    const hear = (text: string) => (streamed += text.length);
    const end = await js.run(code, hear, AbortSignal.timeout(patienceMs), "anna");
    expect(end.output).toStartWith("line 0\nline 1\n");
    expect(end.output).toEndWith("line 59999\n");
    expect(end.output.length).toBeLessThan(34_000);
    expect(end.cutBytes).toBeGreaterThan(400_000);
    expect(streamed).toBeLessThan(132_000);
  });

  test("createJavaScript forgets everything after each call", async () => {
    await run(
      "globalThis.secret = 'kept'; Object.prototype.leak = 1; console.log = () => {}; Array.prototype.push = null",
    );
    const end = await run("console.log('there'); [typeof secret, ({}).leak, typeof [].push]");
    expect(end).toMatchObject({ output: "there\n", value: '[ "undefined", undefined, "function" ]' });
  });

  test("createJavaScript keeps its host out of reach of games with prototypes", async () => {
    const games = [
      "Object.defineProperty(Object.prototype, 'value', { get() { return 'evil' }, set() {} }); 1",
      "Object.prototype.then = (f) => f(1); ({})",
      "Promise.prototype.then = function () { throw 1 }; await 1; 2",
      "String.prototype.slice = () => 'x'.repeat(3e7); 'abc'.repeat(1e5)",
      "String.prototype.slice = () => '\\u0001'.repeat(3e6); console.log('x'.repeat(2e6)); throw 'x'.repeat(1e5)",
      "console.log.constructor('return this')().constructor.constructor('return process')()",
      "JSON.stringify = Reflect.ownKeys = Object.getOwnPropertyDescriptor = () => { throw 1 }; ({a: 1})",
      "globalThis.constructor.constructor('return typeof process')()",
      "(function f() { return f.caller })()",
      "Error.prepareStackTrace = (e, s) => s; new Error().stack",
    ];
    for (const game of games) {
      const end = await run(game);
      expect([
        game,
        JSON.stringify(end).length < 1_000_000,
        /pid|\[object process|bun/i.test(end.value ?? ""),
      ]).toEqual([game, true, false]);
    }
    expect(({} as { leak?: unknown }).leak).toBeUndefined();
  });

  test("createJavaScript takes a megabyte of code, and of a line", async () => {
    expect(await run(`/*${"x".repeat(1e6)}*/ 7`)).toMatchObject({ value: "7" });
    expect((await run(`"${"x".repeat(1e6)}"`)).value?.length).toBeLessThan(21_000);
    expect((await run("(".repeat(1e6))).exitCode).toBe(1);
  });

  test("createJavaScript runs more calls than it has processes one after the other, and lets a waiting one go", async () => {
    const own = createJavaScript({ ...limits, atOnce: 1 });
    const first = new AbortController();
    const endless = own.run("for (;;);", () => {}, first.signal, "anna");
    const waiting = new AbortController();
    const left = own.run("1", () => {}, waiting.signal, "ben");
    const last = own.run("2", () => {}, AbortSignal.timeout(patienceMs), "ben");
    waiting.abort(new Error("gone"));
    await expect(left).rejects.toMatchObject({
      code: "unavailable",
      message: "Cannot run the code: others are running code here; try again.",
    });
    first.abort();
    expect((await endless).signal).toBe("SIGKILL");
    expect(await last).toMatchObject({ value: "2" });
    const many = await Promise.all(
      Array.from({ length: 6 }, (_, at) =>
        own.run(`${at}`, () => {}, AbortSignal.timeout(patienceMs), "anna"),
      ),
    );
    expect(many.map(({ value }) => value)).toEqual(Array.from({ length: 6 }, (_, at) => `${at}`));
    await own.close();
  });

  test("createJavaScript never gives all of its processes to one principal", async () => {
    const own = createJavaScript(limits);
    const stop = new AbortController();
    const endless = [1, 2].map(() => own.run("for (;;);", () => {}, stop.signal, "anna"));
    const ends = Promise.allSettled(endless);
    expect(await own.run("2", () => {}, AbortSignal.timeout(patienceMs), "ben")).toMatchObject({
      value: "2",
    });
    stop.abort();
    expect((await ends).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await own.run("3", () => {}, AbortSignal.timeout(patienceMs), "anna")).toMatchObject({
      value: "3",
    });
    await own.close();
  });

  test("createJavaScript ends what runs when it is closed", async () => {
    const own = createJavaScript(limits);
    const started = Promise.withResolvers<void>();
    const running = own.run(
      "console.log(1); for (let i = 0; ; i++) if (i % 1e6 === 0) console.log(i)",
      () => started.resolve(),
      AbortSignal.timeout(patienceMs),
      "anna",
    );
    await started.promise;
    await own.close();
    expect((await running).signal).toBe("SIGKILL");
  });

  test("createJavaScript does not begin for a call that has ended", async () => {
    const over = AbortSignal.abort(new Error("over"));
    await expect(js.run("1", () => {}, over, "anna")).rejects.toThrow("over");
  });
});
