import { writeSync } from "node:fs";
import { setPriority } from "node:os";
import * as v from "valibot";
import { dieWithParent } from "../../linux/privileges.ts";
import type { OnOutput } from "../can-run.ts";
import { type CodeEnd, createInterpreter } from "./interpreter.ts";
import { type JavaScriptAnswer, JavaScriptRequest } from "./javascript-messages.ts";
import { createKeptText, mostOutput } from "../processes/kept-text.ts";
import { linesOf } from "../processes/lines-of.ts";

const memoryBytes = 64 * 1024 * 1024;
/** The code of a call in JSON, each character of it written as an escape. */
const longestRequest = 8 * 1024 * 1024;
/** Characters that are shown while the code runs, and how many wait, or for how long, until they are sent. */
const mostStreamed = 131_072;
const mostWaiting = 4096;
const waitMs = 50;
/** The server comes first. */
const niceness = 5;

/** Writes all of it, also where the reader is slow: the code of a call waits meanwhile. */
function say(answer: JavaScriptAnswer) {
  const bytes = new TextEncoder().encode(`${JSON.stringify(answer)}\n`);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Bun.sleepSync(1);
    }
  }
}

/** Puts together what is printed quickly, and stops when it is more than a person reads. */
function createStream(send: OnOutput) {
  let waiting = "";
  let stream: "stdout" | "stderr" = "stdout";
  let room = mostStreamed;
  let lastAt = performance.now();
  const flush = () => {
    lastAt = performance.now();
    if (waiting !== "") send(waiting, stream);
    waiting = "";
  };
  const flushOld = () => {
    if (waiting !== "" && performance.now() - lastAt > waitMs) flush();
  };
  return {
    flush,
    flushOld,
    add(text: string, from: "stdout" | "stderr") {
      if (room <= 0) return;
      if (from !== stream) flush();
      stream = from;
      waiting += text.slice(0, room);
      room -= text.length;
      if (waiting.length > mostWaiting) flush();
      else flushOld();
    },
  };
}

function endOf(end: CodeEnd, output: string, cutBytes: number): JavaScriptAnswer {
  switch (end.kind) {
    case "value":
      return {
        kind: "end",
        end: { exitCode: 0, output, cutBytes, ...(end.text !== undefined && { value: end.text }) },
      };
    case "thrown":
      return { kind: "end", end: { exitCode: 1, output: `${output}${end.text}\n`, cutBytes } };
    case "memory":
      return { kind: "end", end: { limit: "memory", output, cutBytes } };
  }
}

/**
 * Runs pieces of JavaScript that the server hands it, one after the other, each in an interpreter of its own. It is a
 * process, because a thread in the middle of WebAssembly cannot be ended; the server ends it when the time of a call is
 * over, and the kernel when the server ends.
 */
export async function runJavaScriptProgram(): Promise<0> {
  dieWithParent();
  setPriority(niceness);
  // Made ahead, so that the next call does not wait for it.
  let next = createInterpreter(memoryBytes);
  for await (const line of linesOf(Bun.stdin.stream(), longestRequest)) {
    const { code } = v.parse(JavaScriptRequest, JSON.parse(line));
    const interpreter = await next;
    const kept = createKeptText(mostOutput);
    const stream = createStream((text, from) => say({ kind: "output", text, stream: from }));
    const end = interpreter.run(code, {
      tick: stream.flushOld,
      print(from, text) {
        kept.add(text);
        stream.add(text, from);
      },
    });
    stream.flush();
    const { output, cutBytes } = kept.end();
    say(endOf(end, output, cutBytes));
    next = createInterpreter(memoryBytes);
  }
  return 0;
}
