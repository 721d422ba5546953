import { join } from "node:path";
import { assistantMessage, userMessage } from "../../src/llm/message.ts";
import { openStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { load } from "./load.ts";
import { median } from "./process.ts";
import { ratioRow, type Row } from "./row.ts";
import { login, type Setting, startOpenclaw, withProgram } from "./setting.ts";

async function fill(dataDir: string) {
  const store = await openStore({ dataDir });
  for (const length of [100, 10_000]) {
    await store.write(async (tx) => {
      const id = `bench-${length}`;
      await sessions.open(tx, { id, owner: "operator", channel: "openai", now: 1 });
      for (let n = 0; n < length; n++) {
        const text = `message ${n} ${"word ".repeat(20)}`;
        await sessions.append(tx, id, undefined, n % 2 === 0 ? userMessage(text) : assistantMessage(text), 1);
      }
    });
  }
  await store.close();
}

/** A turn at 10,000 stored messages beside one at 100, with a window that holds about 60. */
export async function measureHistory(setting: Setting): Promise<Row[]> {
  const dataDir = join(setting.folder, "history");
  await fill(dataDir);
  // Without compaction, which would make the long history a short one.
  const variables = { OPENCLAW_CONTEXT_TOKENS: "5000", OPENCLAW_COMPACTION_SHARE: "0" };
  return withProgram(startOpenclaw(setting, variables, dataDir), async (ours) => {
    const times = { short: [] as number[], long: [] as number[] };
    const turns = async (length: number) => {
      const ask = () => ({ headers: { ...login, "x-openclaw-session-id": `bench-${length}` } });
      return median((await load(ours, "/v1/chat/completions", { total: 40, atOnce: 1, ask })).latencies);
    };
    for (let round = 0; round < 6; round++) {
      times.short.push(await turns(100));
      times.long.push(await turns(10_000));
    }
    return [
      ratioRow(
        "a turn at 10,000 stored messages beside one at 100",
        "ms",
        median(times.long),
        median(times.short),
        1.2,
      ),
    ];
  });
}
