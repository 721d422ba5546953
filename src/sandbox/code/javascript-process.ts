import { join } from "node:path";
import * as v from "valibot";
import { sandboxLog as log } from "../../telemetry/log.ts";
import type { OnOutput, ProgramEnd } from "../can-run.ts";
import { JavaScriptAnswer, type JavaScriptRequest } from "./javascript-messages.ts";
import { javaScriptWord } from "./javascript-word.ts";
import { linesOf } from "../processes/lines-of.ts";

/** A process that runs one piece of code after the other. */
export interface JavaScriptProcess {
  /** Undefined when the process ended before the code did. */
  run(code: string, onOutput: OnOutput): Promise<ProgramEnd | undefined>;
  /** Ends it and waits until it is gone. */
  end(): Promise<void>;
}

/** More than it ever says at once. */
const longestAnswer = 1024 * 1024;

/** This very program, started again. */
const ownWords = (): readonly string[] =>
  Bun.main.startsWith("/$bunfs/")
    ? ["/proc/self/exe", javaScriptWord]
    : [process.execPath, join(import.meta.dir, "../../main.ts"), javaScriptWord];

export function startJavaScriptProcess(): JavaScriptProcess {
  const child = Bun.spawn([...ownWords()], {
    cwd: "/",
    env: {},
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  // It must not keep the server from ending.
  child.unref();
  let hear: (answer: JavaScriptAnswer | undefined) => void = () => undefined;
  const listen = async () => {
    try {
      for await (const line of linesOf(child.stdout, longestAnswer)) {
        hear(v.parse(JavaScriptAnswer, JSON.parse(line)));
      }
    } catch (error) {
      log.error("A process of JavaScript said what it should not.", { error });
      child.kill("SIGKILL");
    }
    hear(undefined);
  };
  const heard = listen();

  return {
    async run(code, onOutput) {
      const { promise, resolve } = Promise.withResolvers<ProgramEnd | undefined>();
      hear = (answer) => {
        if (answer?.kind === "output") onOutput(answer.text, answer.stream);
        else resolve(answer?.end);
      };
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      child.stdin.write(`${JSON.stringify({ code } satisfies JavaScriptRequest)}\n`);
      // Where it is gone, that is heard.
      Promise.resolve(child.stdin.flush()).catch(() => undefined);
      return promise;
    },
    async end() {
      child.kill("SIGKILL");
      await child.exited;
      await heard;
    },
  };
}
