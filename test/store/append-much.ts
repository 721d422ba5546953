// Started by tests as a process of its own: writes until it is stopped or has written much, and prints the id of each
// entry once it is told that it was committed. Ends with a line `refused <code>` when a write is refused.
import { writeSync } from "node:fs";
import { AppError } from "../../src/errors.ts";
import { userMessage } from "../../src/llm/message.ts";
import { openStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";

const [dataDir = "", writers = "1"] = process.argv.slice(2);
const store = await openStore({ dataDir });
const text = "x".repeat(2000);

/** Nothing more is written before whoever reads has room for it: what waited in this process would go with it. */
const tell = (line: string) => writeSync(1, `${line}\n`);

async function append(sessionId: string) {
  await store.write((tx) => sessions.open(tx, { id: sessionId, owner: "alice", channel: "http", now: 1 }));
  for (let count = 0; count < 5000; count++) {
    const id = await store.write((tx) => sessions.append(tx, sessionId, undefined, userMessage(text), 1));
    tell(`${sessionId} ${id}`);
  }
}

tell("ready");
try {
  await Promise.all(Array.from({ length: Number(writers) }, (_, index) => append(`s${index}`)));
} catch (error) {
  tell(`refused ${error instanceof AppError ? error.code : error}`);
  process.exit(0);
}
