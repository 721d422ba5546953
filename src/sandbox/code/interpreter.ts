import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten-core";
import wasm from "@jitl/quickjs-wasmfile-release-sync/wasm" with { type: "file" };
import { interpreterPrelude } from "./interpreter-prelude.ts";

/** What the code of a call may cause. */
export interface CodeHost {
  /** Called again and again while the code runs. */
  tick(): void;
  print(stream: "stdout" | "stderr", text: string): void;
}

/** How code ended: with the text of its value, or with what it threw. */
export type CodeEnd =
  | { readonly kind: "value"; readonly text: string | undefined }
  | { readonly kind: "thrown"; readonly text: string }
  | { readonly kind: "memory" };

/** A JavaScript of its own in a memory of its own. It is used once. */
export interface Interpreter {
  run(code: string, host: CodeHost): CodeEnd;
}

const pageBytes = 65_536;
const firstBytes = 16 * 1024 * 1024;
const mostStackBytes = 256 * 1024;
const jobsAtOnce = 100;
/** JS_EVAL_FLAG_ASYNC of quickjs.h: `await` at the top, and a promise of `{ value }`. */
const evalAsync = 1 << 7;

const neverSettles =
  "Error: the code waits for a promise that nothing will settle (there are no timers and no network).";

/** What the functions of the prelude say is shorter, unless the code has changed what they use. */
const longestText = 100_000;

let compiled: Promise<WebAssembly.Module> | undefined;

const compile = async () => WebAssembly.compile(await Bun.file(wasm).bytes());

/**
 * Makes an interpreter whose code can have at most `memoryBytes`. It costs about 2 ms, and 20 at the first time, because
 * QuickJS is compiled once: what the engine learns of it, it knows for the next ones.
 */
export async function createInterpreter(memoryBytes: number): Promise<Interpreter> {
  const { newQuickJSWASMModuleFromVariant, newVariant } = await import("quickjs-emscripten-core");
  const { default: variant } = await import("@jitl/quickjs-wasmfile-release-sync");
  // The limit of QuickJS itself does not count the size of what it allocates in this build: the memory does the limiting.
  const wasmMemory = new WebAssembly.Memory({
    initial: firstBytes / pageBytes,
    maximum: Math.max(firstBytes, memoryBytes) / pageBytes,
  });
  const quickJs = await newQuickJSWASMModuleFromVariant(
    newVariant(variant, { wasmMemory, wasmModule: await (compiled ??= compile()) }),
  );
  // Nothing is disposed of: the memory goes as a whole.
  const runtime = quickJs.newRuntime({ maxStackSizeBytes: mostStackBytes });
  const context = runtime.newContext();
  let host: CodeHost = { tick: () => undefined, print: () => undefined };
  const show = addConsole(context, (stream, text) => host.print(stream, text));
  runtime.setInterruptHandler(() => {
    host.tick();
    return false;
  });
  return {
    run(code, given) {
      host = given;
      const end = runCode(context, show, code);
      const isFull = wasmMemory.buffer.byteLength > 0.9 * memoryBytes;
      return end.kind === "broken" ? (isFull ? { kind: "memory" } : { kind: "thrown", text: end.text }) : end;
    },
  };
}

/** The text of a string handle; anything else is no text. */
const textOf = (context: QuickJSContext, handle: QuickJSHandle): string | undefined =>
  context.typeof(handle) === "string" ? context.getString(handle).slice(0, longestText) : undefined;

type Show = (value: QuickJSHandle) => string;

/** Gives the context its `console`; returns what shows a value. */
function addConsole(context: QuickJSContext, print: CodeHost["print"]): Show {
  const printHandle = context.newFunction("print", (stream, text) => {
    print(textOf(context, stream) === "stderr" ? "stderr" : "stdout", textOf(context, text) ?? "");
  });
  const prelude = context.unwrapResult(
    context.evalCode(interpreterPrelude, "prelude.js", { type: "global" }),
  );
  const show = context.unwrapResult(context.callFunction(prelude, context.undefined, printHandle));
  return (value) => {
    const text = context.callFunction(show, context.undefined, value);
    return (text.error ? undefined : textOf(context, text.value)) ?? "(a value that cannot be shown)";
  };
}

/** `broken`: it ended in a way that QuickJS has no error for; where the memory is full, that is why. */
type RawEnd = CodeEnd | { readonly kind: "broken"; readonly text: string };

function runCode(context: QuickJSContext, show: Show, code: string): RawEnd {
  try {
    return settle(context, show, code);
  } catch (error) {
    // Its C stack ends where ours does; an allocation that QuickJS does not expect to fail ends in a trap.
    const why = error instanceof RangeError ? "stack overflow" : "the interpreter failed";
    return { kind: "broken", text: `InternalError: ${why}` };
  }
}

/** Evaluates the code, and then what waits for settled promises, until nothing does. */
function settle(context: QuickJSContext, show: Show, code: string): RawEnd {
  const started = context.evalCode(code, "code.js", evalAsync);
  if (started.error) return thrown(show(started.error));
  while (context.runtime.hasPendingJob()) {
    const done = context.runtime.executePendingJobs(jobsAtOnce);
    if (done.error) return thrown(show(done.error));
  }
  const state = context.getPromiseState(started.value);
  if (state.type === "rejected") return thrown(show(state.error));
  if (state.type === "pending") return thrown(neverSettles);
  const value = context.getProp(state.value, "value");
  return { kind: "value", text: context.typeof(value) === "undefined" ? undefined : show(value) };
}

function thrown(text: string): RawEnd {
  if (text.startsWith("InternalError: out of memory")) return { kind: "memory" };
  // It throws `null` where there is no memory left for an error.
  return text === "null" ? { kind: "broken", text } : { kind: "thrown", text };
}
