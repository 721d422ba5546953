/**
 * A client in a process of its own, because only one that was started with BUN_CONFIG_MAX_HTTP_REQUESTS has 1,000
 * requests in flight: `bun waiters.ts URL KIND COUNT` prints the milliseconds of each turn as one line of JSON.
 */
const [url = "", kind = "", count = ""] = process.argv.slice(2);
const { TOKEN = "", ROUND = "" } = process.env;

async function ask(n: number): Promise<number> {
  const begin = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${TOKEN}`,
      ...(kind === "kept" && { "x-openclaw-session-id": `waits-${ROUND}-${n}` }),
    },
    body: JSON.stringify({ model: "slow", stream: true, messages: [{ role: "user", content: "Hi." }] }),
  });
  const text = await response.text();
  if (!response.ok || !text.includes("token19")) throw new Error(`${response.status}: ${text.slice(0, 200)}`);
  return performance.now() - begin;
}

console.log(JSON.stringify(await Promise.all(Array.from({ length: Number(count) }, (_, n) => ask(n)))));
