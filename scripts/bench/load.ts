import { processorMs, type Program } from "./process.ts";

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly model?: string;
}

/** One streamed chat completion, read to its end. Returns the text. */
export async function askOnce(program: Program, path: string, ask: Ask = {}): Promise<string> {
  const response = await fetch(`${program.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...ask.headers },
    body: JSON.stringify({
      model: ask.model ?? "bench",
      stream: true,
      messages: [{ role: "user", content: "Say twenty tokens." }],
    }),
  });
  const text = await response.text();
  if (!response.ok || !text.includes("token19"))
    throw new Error(`${program.url}${path}: ${text.slice(0, 300)}`);
  return text;
}

/** `total` turns, `atOnce` of them side by side: milliseconds of each, and processor time a turn. */
export async function load(
  program: Program,
  path: string,
  options: { total: number; atOnce: number; ask: (n: number) => Ask },
) {
  let next = 0;
  const latencies: number[] = [];
  const before = processorMs(program.pid);
  const begin = performance.now();
  const worker = async () => {
    for (let n = next++; n < options.total; n = next++) {
      const start = performance.now();
      await askOnce(program, path, options.ask(n));
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, worker));
  return {
    latencies,
    processorMs: (processorMs(program.pid) - before) / options.total,
    perSecond: (options.total / (performance.now() - begin)) * 1000,
  };
}

/** Milliseconds until the first byte of text, of `total` turns one after the other. */
export async function firstTokens(
  program: Program,
  path: string,
  total: number,
  ask: Ask,
): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < total; n++) {
    const start = performance.now();
    const response = await fetch(`${program.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...ask.headers },
      body: JSON.stringify({ model: "bench", stream: true, messages: [{ role: "user", content: "Hi." }] }),
    });
    let seen = "";
    for await (const bytes of response.body ?? []) {
      if (!seen.includes("token0")) {
        seen += new TextDecoder().decode(bytes);
        if (seen.includes("token0")) all.push(performance.now() - start);
      }
    }
  }
  return all;
}

/** How late each token of a paced stream came, in milliseconds after it was sent. */
export async function tokenDelays(program: Program, path: string, ask: Ask): Promise<number[]> {
  const response = await fetch(`${program.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...ask.headers },
    body: JSON.stringify({ model: "paced", stream: true, messages: [{ role: "user", content: "Hi." }] }),
  });
  const delays: number[] = [];
  for await (const bytes of response.body ?? []) {
    const at = performance.timeOrigin + performance.now();
    for (const [, sent] of new TextDecoder().decode(bytes).matchAll(/"(\d{13}\.\d+) "/g))
      delays.push(at - Number(sent));
  }
  return delays;
}
