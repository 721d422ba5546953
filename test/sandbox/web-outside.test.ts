import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "openclaw-tls-"));
const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  const args =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=site.test";
  const made = Bun.spawn(
    ["openssl", ...args.split(" "), "-addext", "subjectAltName=DNS:site.test", "-keyout", key, "-out", cert],
    { stdout: "ignore", stderr: "ignore" },
  );
  expect(await made.exited).toBe(0);
});

async function fetchOutside(environment: Record<string, string>, ...urls: string[]): Promise<string[]> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "web-client.ts"), ...urls], {
    env: { PATH: process.env.PATH, ...environment },
    stdout: "pipe",
    stderr: "inherit",
    timeout: 20_000,
  });
  return (await new Response(child.stdout).text()).trim().split("\n");
}

test("web.get checks the certificate for the name of the URL, not for the address it connects to", async () => {
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: { key: Bun.file(key), cert: Bun.file(cert) },
    fetch: (request) => new Response(`hello ${request.headers.get("host")}`),
  });
  const { port } = server;
  const urls = [`https://site.test:${port}/`, `https://other.test:${port}/`, `https://127.0.0.1:${port}/`];
  const [good, other, bare] = await fetchOutside({ NODE_EXTRA_CA_CERTS: cert }, ...urls);
  expect(good).toBe(`hello site.test:${port}`);
  expect(other).toContain("certificate");
  expect(bare).toContain("certificate");
  expect(await fetchOutside({}, ...urls.slice(0, 1))).toEqual([expect.stringContaining("certificate")]);
});

test("web.get takes no proxy of the environment: that would look the name up once more", async () => {
  let proxied = 0;
  using proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(`proxied ${++proxied}`),
  });
  using site = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("direct") });
  const address = `http://127.0.0.1:${proxy.port}`;
  const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
  const environment = Object.fromEntries(names.map((name) => [name, address]));
  expect(await fetchOutside(environment, `http://site.test:${site.port}/`)).toEqual(["direct"]);
  expect(proxied).toBe(0);
});
