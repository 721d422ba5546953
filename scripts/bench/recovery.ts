import { join } from "node:path";
import { assistantMessage, userMessage } from "../../src/llm/message.ts";
import { openStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { askOnce, load } from "./load.ts";
import { median } from "./process.ts";
import { limitRow, type Row } from "./row.ts";
import { login, type Setting, startOpenclaw } from "./setting.ts";

const rounds = 11;
const sessionCount = 100;
const messagesEach = 1000;
const path = "/v1/chat/completions";

async function fill(dataDir: string) {
  const store = await openStore({ dataDir });
  for (let at = 0; at < sessionCount; at++) {
    const id = `old-${at}`;
    await store.write(async (tx) => {
      await sessions.open(tx, { id, owner: "operator", channel: "openai", now: 1 });
      for (let n = 0; n < messagesEach; n++) {
        const text = `message ${n} ${"word ".repeat(20)}`;
        await sessions.append(tx, id, undefined, n % 2 === 0 ? userMessage(text) : assistantMessage(text), 1);
      }
    });
  }
  await store.close();
}

/** From spawn to a store that takes writes, after a SIGKILL in the middle of 16 turns, with 100,000 messages stored. */
export async function measureRecovery(setting: Setting): Promise<Row[]> {
  const dataDir = join(setting.folder, "recovery");
  await fill(dataDir);
  const times: number[] = [];
  let session = 0;
  const kept = () => ({ headers: { ...login, "x-openclaw-session-id": `old-${session++ % sessionCount}` } });
  for (let round = 0; round <= rounds; round++) {
    const { ms, program } = await startOpenclaw(setting, {}, dataDir, "/health/ready");
    // The first start follows an orderly end.
    if (round > 0) times.push(ms);
    // The write-ahead log is left behind, and turns that are going on.
    await load(program, path, { total: 200, atOnce: 16, ask: kept });
    const cut = Array.from({ length: 16 }, () => askOnce(program, path, { ...kept(), model: "paced" }));
    const lost = Promise.allSettled(cut);
    await Bun.sleep(100);
    await program.stop();
    await lost;
  }
  return [limitRow("start after SIGKILL with 100,000 messages", "ms", median(times), 150)];
}
