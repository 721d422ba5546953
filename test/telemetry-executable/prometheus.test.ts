import { expect, test } from "bun:test";
import { join } from "node:path";
import * as v from "valibot";
import { startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { freePort } from "../helpers/free-port.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { until } from "../helpers/until.ts";

const token = "a-token-of-the-operator";
const rules = join(import.meta.dir, "../../scripts/deploy/alert-rules.json");
const dashboard = join(import.meta.dir, "../../scripts/deploy/grafana-dashboard.json");

const Answer = v.object({
  data: v.object({
    result: v.array(
      v.object({ metric: v.record(v.string(), v.string()), value: v.tuple([v.number(), v.string()]) }),
    ),
  }),
});

/** Debian's Prometheus, which scrapes one target four times a second. */
async function startPrometheus(target: number, folder: string) {
  const port = freePort();
  const config = {
    global: { scrape_interval: "250ms", scrape_timeout: "250ms" },
    rule_files: [rules],
    scrape_configs: [
      {
        job_name: "openclaw",
        metrics_path: "/metrics/prometheus",
        authorization: { credentials: token },
        static_configs: [{ targets: [`127.0.0.1:${target}`] }],
      },
    ],
  };
  const file = join(folder, "prometheus.yml");
  await Bun.write(file, JSON.stringify(config));
  const child = Bun.spawn(
    [
      "prometheus",
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "tsdb")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  const query = async (text: string) => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`;
    const answer = await fetch(url).then((response) => response.json());
    return v.parse(Answer, answer).data.result;
  };
  return {
    /** Asks until there is an answer. */
    until: (text: string) =>
      until(`Prometheus has ${text}`, async () => {
        const result = await query(text).catch(() => []);
        if (result.length === 0) await Bun.sleep(50);
        return result.length > 0;
      }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

test("a real Prometheus scrapes the executable over a restart, and takes our alert rules", async () => {
  await using folder = await temporaryFolder();
  await using model = scriptedModel(() => ({ text: "Hello." }));
  const port = freePort();
  const env = {
    OPENCLAW_PORT: `${port}`,
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_DATA_DIR: join(folder.path, "data"),
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
  };
  await using prometheus = await startPrometheus(port, folder.path);
  for (const round of [1, 2]) {
    await using server = await startExecutable(env);
    await fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ model: "scripted", messages: [{ role: "user", content: "Hello?" }] }),
    });
    await prometheus.until('up{job="openclaw"} == 1');
    await prometheus.until("openclaw_turns_total == 1");
    await prometheus.until("openclaw_turn_duration_seconds_count == 1");
    if (round === 2) {
      // It saw that the process began anew, and that the counter fell back no further than that explains.
      await prometheus.until("changes(process_start_time_seconds[1m]) == 1");
      await prometheus.until("max_over_time(openclaw_turns_total[1m]) == 1");
    }
    expect(await server.stop()).toBe(0);
    await prometheus.until('up{job="openclaw"} == 0');
  }
}, 120_000);

test("alert rules and dashboard ask only for families that the executable has", async () => {
  await using server = await startExecutable({ OPENCLAW_AUTH_TOKEN: token });
  const read = (path: string, accept = "*/*") =>
    fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}`, accept } });
  const response = await read("/metrics/prometheus");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  expect(
    (await read("/metrics", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")).headers.get("content-type"),
  ).toStartWith("text/plain");
  expect((await read("/metrics")).headers.get("content-type")).toBe("application/json");
  expect((await fetch(`${server.url}/metrics/prometheus`)).status).toBe(401);

  const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name));
  for (const file of [rules, dashboard]) {
    const asked = (await Bun.file(file).text()).match(/\b(?:openclaw|process)_[a-z_]+\b/g) ?? [];
    const families = asked.map((name) =>
      known.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, ""),
    );
    expect(asked.length).toBeGreaterThan(5);
    expect(families.filter((name) => !known.has(name))).toEqual([]);
  }
  const check = Bun.spawn(["promtool", "check", "rules", rules], { stdout: "ignore", stderr: "inherit" });
  expect(await check.exited).toBe(0);
});
