import { expect, test } from "bun:test";
import { join } from "node:path";
import * as v from "valibot";
import { imageUser } from "../../scripts/image/root.ts";
import { settingRows } from "../../src/config/load.ts";

const root = join(import.meta.dir, "../..");
const read = (path: string) => Bun.file(join(root, path)).text();
const readYaml = async (path: string): Promise<unknown> => Bun.YAML.parse(await read(path));

const Service = v.object({
  image: v.string(),
  profiles: v.optional(v.array(v.string())),
  environment: v.optional(v.record(v.string(), v.string()), {}),
  volumes: v.array(v.string()),
  read_only: v.optional(v.boolean(), false),
  cap_drop: v.optional(v.array(v.string()), []),
  security_opt: v.array(v.string()),
  stop_grace_period: v.optional(v.pipe(v.string(), v.regex(/^\d+s$/))),
  depends_on: v.optional(v.record(v.string(), v.looseObject({ required: v.boolean() })), {}),
});
const Compose = v.object({
  services: v.record(v.string(), Service),
  volumes: v.record(v.string(), v.null()),
});

const Probe = v.looseObject({ httpGet: v.object({ path: v.string(), port: v.string() }) });
const Pod = v.looseObject({
  enableServiceLinks: v.literal(false),
  automountServiceAccountToken: v.literal(false),
  terminationGracePeriodSeconds: v.number(),
  securityContext: v.looseObject({
    runAsNonRoot: v.literal(true),
    runAsUser: v.literal(imageUser),
    seccompProfile: v.object({ type: v.literal("RuntimeDefault") }),
  }),
  containers: v.tuple([
    v.looseObject({
      env: v.array(v.object({ name: v.string(), value: v.string() })),
      startupProbe: Probe,
      livenessProbe: Probe,
      readinessProbe: Probe,
      securityContext: v.object({
        allowPrivilegeEscalation: v.literal(false),
        readOnlyRootFilesystem: v.literal(true),
        capabilities: v.object({ drop: v.tuple([v.literal("ALL")]) }),
      }),
      volumeMounts: v.array(v.looseObject({ name: v.string(), mountPath: v.string() })),
    }),
  ]),
  volumes: v.array(v.looseObject({ name: v.string() })),
});
const Kubernetes = v.tuple([
  v.looseObject({ kind: v.literal("Service") }),
  v.looseObject({
    kind: v.literal("StatefulSet"),
    spec: v.looseObject({
      template: v.looseObject({ spec: Pod }),
      volumeClaimTemplates: v.array(v.looseObject({ metadata: v.object({ name: v.string() }) })),
    }),
  }),
]);

/** Names of ours that nobody would read. */
function unknownSettings(names: readonly string[]) {
  const rows = settingRows().map(({ env }) => env);
  const known = new Set(rows.flatMap((env) => [env, `${env}_FILE`]));
  return names.filter((name) => /^(OPENCLAW|MODEL_PROVIDER)/.test(name) && !known.has(name));
}

const drainSeconds = Number(settingRows().find(({ env }) => env === "OPENCLAW_DRAIN_SECONDS")?.fallback);

test("compose.yaml gives the server no rights, settings that exist, and the time to drain", async () => {
  const { services, volumes } = v.parse(Compose, await readYaml("compose.yaml"));
  const { openclaw, ...others } = services;
  expect(openclaw).toMatchObject({
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
  });
  expect(unknownSettings(Object.keys(openclaw?.environment ?? {}))).toEqual([]);
  expect(Number.parseInt(openclaw?.stop_grace_period ?? "0")).toBeGreaterThan(drainSeconds + 5);
  for (const { required } of Object.values(openclaw?.depends_on ?? {})) expect(required).toBe(false);
  const profiles = Object.entries(others).map(([name, { profiles }]) => [name, profiles]);
  expect(Object.fromEntries(profiles)).toEqual({ tls: ["tls"], postgres: ["postgres"], otel: ["otel"] });
  for (const { volumes: mounts } of Object.values(services))
    for (const source of mounts.map((mount) => mount.split(":")[0] ?? ""))
      if (source.startsWith(".")) expect(await Bun.file(join(root, source)).exists()).toBe(true);
      else expect(volumes).toHaveProperty(source);
});

test("compose.yaml trusts the address of its own TLS proxy alone, which no other service is given", async () => {
  const compose = v.parse(
    v.looseObject({
      services: v.looseObject({
        openclaw: v.looseObject({ environment: v.looseObject({ OPENCLAW_TRUSTED_PROXIES: v.string() }) }),
        tls: v.looseObject({ networks: v.object({ default: v.object({ ipv4_address: v.string() }) }) }),
      }),
      networks: v.object({
        default: v.object({
          ipam: v.object({ config: v.tuple([v.object({ subnet: v.string(), ip_range: v.string() })]) }),
        }),
      }),
    }),
    await readYaml("compose.yaml"),
  );
  const [{ subnet, ip_range }] = compose.networks.default.ipam.config;
  const address = compose.services.tls.networks.default.ipv4_address;
  expect(compose.services.openclaw.environment.OPENCLAW_TRUSTED_PROXIES).toBe(address);
  expect({ subnet, ip_range, address }).toEqual({
    subnet: "172.31.187.0/24",
    ip_range: "172.31.187.128/25",
    address: "172.31.187.2",
  });
});

test("kubernetes.yaml runs it as nobody, probes it, and hands it secrets as files", async () => {
  const [, { spec }] = v.parse(Kubernetes, await readYaml("scripts/deploy/kubernetes.yaml"));
  const pod = spec.template.spec;
  const [server] = pod.containers;
  expect(unknownSettings(server.env.map(({ name }) => name))).toEqual([]);
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds + 5);
  expect(server.startupProbe.httpGet.path).toBe("/health/live");
  expect(server.livenessProbe.httpGet.path).toBe("/health/live");
  expect(server.readinessProbe.httpGet.path).toBe("/health/ready");
  const files = server.env.filter(({ name }) => name.endsWith("_FILE")).map(({ value }) => value);
  expect(files).not.toBeEmpty();
  for (const file of files) expect(file).toStartWith("/run/secrets/openclaw/");
  const given = [
    ...pod.volumes.map(({ name }) => name),
    ...spec.volumeClaimTemplates.map((each) => each.metadata.name),
  ];
  expect(server.volumeMounts.map(({ name }) => name).sort()).toEqual(given.sort());
});

test("openclaw.service tells when it is ready, hands secrets over as credentials, and leaves the sandbox what it needs", async () => {
  const text = await read("scripts/deploy/openclaw.service");
  const lines = text.split("\n").filter((line) => /^\w+=/.test(line));
  const set = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));
  expect([...set("Type"), ...set("DynamicUser"), ...set("StateDirectory")]).toEqual([
    "notify",
    "yes",
    "openclaw",
  ]);
  expect(Number(set("TimeoutStopSec")[0])).toBeGreaterThan(drainSeconds + 5);
  expect(Number(set("WatchdogSec")[0])).toBeGreaterThan(0);
  const environment = set("Environment").flatMap((line) => line.split(" ").map((pair) => pair.split("=")));
  expect(unknownSettings(environment.map(([name = ""]) => name))).toEqual([]);
  const credentials = set("LoadCredential").map((line) => `%d/${line.split(":")[0]}`);
  const files = environment.filter(([name]) => name?.endsWith("_FILE")).map(([, value]) => value);
  expect(files).toEqual(credentials);
  for (const name of ["MemoryDenyWriteExecute", "RestrictNamespaces", "ProtectKernelTunables", "ProtectProc"])
    expect(set(name)).toEqual([]);
});

test("otel-collector.yaml takes all three signals where compose.yaml says", async () => {
  const Pipeline = v.object({
    receivers: v.tuple([v.literal("otlp")]),
    processors: v.array(v.string()),
    exporters: v.array(v.string()),
  });
  const collector = v.parse(
    v.looseObject({
      receivers: v.object({
        otlp: v.object({ protocols: v.object({ http: v.object({ endpoint: v.string() }) }) }),
      }),
      processors: v.looseObject({}),
      exporters: v.looseObject({}),
      service: v.object({ pipelines: v.object({ traces: Pipeline, metrics: Pipeline, logs: Pipeline }) }),
    }),
    await readYaml("scripts/deploy/otel-collector.yaml"),
  );
  expect(collector.receivers.otlp.protocols.http.endpoint).toEndWith(":4318");
  expect(await read("compose.yaml")).toContain("OTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4318");
  for (const { processors, exporters } of Object.values(collector.service.pipelines)) {
    for (const name of processors) expect(collector.processors).toHaveProperty(name);
    for (const name of exporters) expect(collector.exporters).toHaveProperty(name);
  }
});
