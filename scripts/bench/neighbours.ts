import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { askOnce } from "./load.ts";
import { median, type Program, quantile } from "./process.ts";
import { ratioRow, type Row } from "./row.ts";
import { login, type Setting, startOpenclaw, token, withProgram } from "./setting.ts";

const path = "/v1/chat/completions";
const rounds = 5;
const turns = 300;
const headers = { "content-type": "application/json", ...login };

/** What one client does to the others for as long as the signal does not end it. */
type Nuisance = (program: Program, signal: AbortSignal) => Promise<void>;

const untilEnd = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

/** Asks again and again; how it is answered does not matter. */
const repeat =
  (target: string, bodyOf: () => string): Nuisance =>
  async (program, signal) => {
    while (!signal.aborted) {
      const init = { method: "POST", headers, body: bodyOf(), signal };
      await fetch(program.url + target, init).then(
        (response) => response.text(),
        () => "",
      );
      await Bun.sleep(5);
    }
  };

const slowReaders: Nuisance = async (program, signal) => {
  const body = JSON.stringify({ model: "bench", stream: true, messages: [{ role: "user", content: "Hi." }] });
  const request = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const port = Number(new URL(program.url).port);
  const sockets = Array.from({ length: 50 }, () => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    socket.pause();
    socket.on("error", () => {});
    return socket;
  });
  await untilEnd(signal);
  for (const socket of sockets) socket.destroy();
};

const calls = (command: string) =>
  `Please call: ${JSON.stringify([{ name: "shell", arguments: { command } }])}`;
const longTools: Nuisance = async (program, signal) => {
  const body = JSON.stringify({ model: "bench", messages: [{ role: "user", content: calls("sleep 30") }] });
  const asked = Array.from({ length: 4 }, () =>
    fetch(program.url + path, { method: "POST", headers, body, signal }).then(
      (response) => response.text(),
      () => "",
    ),
  );
  await Promise.all(asked);
};

const giant = JSON.stringify({
  model: "bench",
  messages: [{ role: "user", content: "a".repeat(1_000_000) }],
});
const nuisances: Readonly<Record<string, Nuisance>> = {
  "50 slow readers": slowReaders,
  "a chatty session": repeat("/api/sessions/chatty/messages", () => '{"text":"Hi."}'),
  "bodies of 1 MB": repeat(path, () => giant),
  "four long tools": longTools,
};

async function othersP99(program: Program): Promise<number> {
  const all: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const begin = performance.now();
    await askOnce(program, path, { headers: login });
    all.push(performance.now() - begin);
  }
  return quantile(all, 0.99);
}

/** What the turns of others lose by one client that takes more than its share; the median of some rounds, each beside a calm one. */
export function measureNeighbours(setting: Setting): Promise<Row[]> {
  const workspace = join(setting.folder, "neighbours");
  mkdirSync(workspace);
  return withProgram(
    startOpenclaw(setting, {
      OPENCLAW_ALLOW_SHELL: "true",
      OPENCLAW_WORKSPACE: workspace,
      OPENCLAW_AUTONOMY: "full",
      OPENCLAW_TOOL_TIMEOUT_SECONDS: "60",
    }),
    async (ours) => {
      await othersP99(ours);
      const rows: Row[] = [];
      for (const [name, nuisance] of Object.entries(nuisances)) {
        const [calm, beside]: [number[], number[]] = [[], []];
        for (let round = 0; round < rounds; round++) {
          calm.push(await othersP99(ours));
          const end = new AbortController();
          const acting = nuisance(ours, end.signal).catch(() => undefined);
          await Bun.sleep(300);
          beside.push(await othersP99(ours));
          end.abort();
          await acting;
        }
        rows.push(ratioRow(`a turn of others beside ${name}, p99`, "ms", median(beside), median(calm), 3));
      }
      return rows;
    },
  );
}
