import { resolve } from "node:path";
import { readText } from "../config/read-text.ts";
import { askApproval } from "./approve.ts";
import type { ExitCode, Invocation } from "./command.ts";
import { connected } from "./connected.ts";
import type { Envelope } from "./connection.ts";
import { isTerminal } from "./is-terminal.ts";
import { readLines } from "./lines.ts";
import { readArguments } from "./read-arguments.ts";
import { request } from "./request.ts";
import { createScreen, type Screen } from "./screen.ts";
import { takeTurn } from "./turn.ts";

const options = {
  file: { type: "string", multiple: true },
  session: { type: "string" },
  branch: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

const mostInputBytes = 1_048_576;

/** One turn against a running server: 0 when it was answered, 1 when it failed. */
export async function run({ args, startFolder }: Invocation): Promise<ExitCode> {
  const read = readArguments(args, options);
  if (!read.ok) return refuse(read.fault);
  const { values, words } = read;
  const { session, branch } = values;
  if (branch !== undefined && session === undefined)
    return refuse("--branch is a branch of a session: name it with --session ID.");
  const text = await joinInput(words.join(" "), values.file ?? [], startFolder);
  if (typeof text !== "string") return refuse(text.fault);
  if (text.trim() === "") return refuse('There is nothing to send: openclaw run "TEXT", or --file FILE.');

  const screen = createScreen(values.json);
  return connected(startFolder, async (connection) => {
    if (session !== undefined && branch !== undefined)
      await request(connection, "branches.restore", { session, branch });
    const approve = (question: Envelope) => approveOnTerminal(question, screen);
    const answered = await takeTurn(connection, screen, {
      text,
      sessionId: session,
      approve,
      onStart: cancelOnSignal,
    });
    return answered ? 0 : 1;
  });
}

function refuse(fault: string): ExitCode {
  console.error(`openclaw run: ${fault}`);
  return 2;
}

/** The words of the command line, then the text of each file. */
async function joinInput(words: string, files: readonly string[], startFolder: string) {
  const parts = words === "" ? [] : [words];
  for (const file of files) {
    try {
      parts.push(file === "-" ? await readStdin() : readText(resolve(startFolder, file), mostInputBytes));
    } catch (error) {
      return { fault: `Cannot read ${file}: ${error instanceof Error ? error.message : error}.` };
    }
  }
  return parts.join("\n\n");
}

async function readStdin() {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for await (const bytes of Bun.stdin.stream()) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > mostInputBytes) throw new Error(`it is longer than ${mostInputBytes} characters`);
  }
  return text + decoder.decode();
}

/** Without a terminal there is no one to ask, and waiting for the approval to run out would only take longer. */
async function approveOnTerminal(question: Envelope, screen: Screen) {
  if (!isTerminal(0)) {
    screen.note(`Denied ${question.toolName}: it needs an approval, and there is no terminal to ask on.`);
    return { approved: false, note: "Nobody could be asked: openclaw run was started without a terminal." };
  }
  using lines = readLines(() => process.kill(process.pid, "SIGINT"));
  return await askApproval(question, lines, screen);
}

/** The first Ctrl-C ends the turn, the second one this program. */
function cancelOnSignal(cancel: () => void) {
  let cancelled = false;
  process.on("SIGINT", () => {
    if (cancelled) process.exit(1);
    cancelled = true;
    cancel();
  });
}
