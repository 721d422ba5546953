import { afterAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readHostRules } from "../../../src/sandbox/net/host-rules.ts";
import { createNet } from "../../../src/sandbox/net/net.ts";
import { startEgressProxy } from "../../../src/sandbox/net/egress-proxy.ts";
import type { EgressPass } from "../../../src/sandbox/net/egress.ts";
import { aRawServer, aWeb, type WebOptions } from "../a-web.ts";

const cleanUps: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

const kept = <T extends { close(): unknown }>(part: T): T => {
  cleanUps.push(() => part.close());
  return part;
};

const aPass = (options: WebOptions = {}) => kept(aWeb(options)).pass();

const site = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/socket" && server.upgrade(request, { data: undefined })) return undefined;
    if (pathname === "/length") return new Response(String((await request.bytes()).length));
    if (pathname === "/big") return new Response(Buffer.alloc(20_000_000));
    return Response.json({ path: pathname, headers: Object.fromEntries(request.headers) });
  },
  websocket: { message: (socket, text) => void socket.send(`echo ${text}`) },
});
cleanUps.push(() => site.stop(true));

async function curl(proxy: string, ...args: string[]) {
  const child = Bun.spawn(["curl", "-sS", "--max-time", "10", "--noproxy", "", "-x", proxy, ...args], {
    stdout: "pipe",
    stderr: "pipe",
    timeout: 15_000,
  });
  const [out, said, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, said, code };
}

/** A client that writes its own bytes. */
async function aClient({ port }: Pick<EgressPass, "port">, text: string) {
  const socket: Socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const blocks: Buffer[] = [];
  socket.on("error", () => socket.destroy());
  socket.on("data", (block: Buffer) => blocks.push(block));
  const ended = Promise.race([once(socket, "end"), once(socket, "close")]);
  await once(socket, "connect");
  socket.write(text);
  cleanUps.push(() => socket.destroy());
  const said = () => Buffer.concat(blocks).toString();
  return {
    socket,
    said,
    async until(part: string) {
      while (!said().includes(part)) await once(socket, "data");
    },
    /** All that the other side said until its end. */
    async all() {
      await ended;
      return said();
    },
  };
}

const credentials = ({ username, password }: EgressPass) =>
  `Proxy-Authorization: Basic ${btoa(`${username}:${password}`)}`;
const tunnel = (pass: EgressPass, to: string) =>
  `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${credentials(pass)}\r\n\r\n`;

describe("createEgress", () => {
  test("passes requests and tunnels of curl on, without a word of the proxy's own", async () => {
    const { url } = await aPass();
    for (const how of [["-p"], [], ["--proxy-anyauth"], ["--proxy-anyauth", "-p"], ["--http1.0"]]) {
      const { out, said } = await curl(url, ...how, `${site.url}a?b`);
      expect(said).toBe("");
      const { path, headers } = JSON.parse(out);
      expect(path).toBe("/a");
      expect(headers.host).toBe(`127.0.0.1:${site.port}`);
      expect(Object.keys(headers).filter((name) => name.startsWith("proxy"))).toEqual([]);
    }
  });

  test("carries bodies both ways, also in chunks", async () => {
    const { url } = await aPass();
    const folder = mkdtempSync(join(tmpdir(), "openclaw-egress-"));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "body");
    await Bun.write(file, Buffer.alloc(5_000_000));
    for (const how of [[], ["-p"], ["-H", "Transfer-Encoding: chunked"]]) {
      expect(await curl(url, ...how, "--data-binary", `@${file}`, `${site.url}length`)).toMatchObject({
        out: "5000000",
      });
      const size = ["-o", "/dev/null", "-w", "%{size_download}"];
      expect(await curl(url, ...how, ...size, `${site.url}big`)).toMatchObject({ out: "20000000" });
    }
  });

  test("carries git over http, credentials in the proxy's address", async () => {
    const { url } = await aPass();
    const folder = mkdtempSync(join(tmpdir(), "openclaw-egress-"));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const git = async (...args: string[]) => {
      const env = {
        PATH: process.env.PATH,
        HOME: folder,
        GIT_CONFIG_NOSYSTEM: "1",
        http_proxy: url,
        no_proxy: "",
      };
      const child = Bun.spawn(["git", ...args], {
        cwd: folder,
        env,
        stdout: "ignore",
        stderr: "pipe",
        timeout: 15_000,
      });
      const said = await new Response(child.stderr).text();
      if ((await child.exited) !== 0) throw new Error(said);
    };
    await git("init", "-q", "one");
    const who = ["-c", "user.name=a", "-c", "user.email=a@b.c"];
    await git("-C", "one", ...who, "commit", "-q", "--allow-empty", "-m", "first");
    await git("clone", "-q", "--bare", "one", "served.git");
    await git("-C", "served.git", "update-server-info");
    const files = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        const file = Bun.file(join(folder, new URL(request.url).pathname));
        return (await file.exists()) ? new Response(file) : new Response("", { status: 404 });
      },
    });
    cleanUps.push(() => files.stop(true));
    await git("clone", "-q", `${files.url}served.git`, "two");
    await git("-C", "two", "log", "-1");
  });

  test("opens a WebSocket through a tunnel, and in plain http", async () => {
    const pass = await aPass();
    const upgrade = [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
      "",
      "",
    ].join("\r\n");
    const plain = await aClient(
      pass,
      `GET http://127.0.0.1:${site.port}/socket HTTP/1.1\r\n${credentials(pass)}\r\n${upgrade}`,
    );
    await plain.until("101 Switching Protocols");
    const inTunnel = await aClient(pass, tunnel(pass, `127.0.0.1:${site.port}`));
    await inTunnel.until("200 Connection established");
    inTunnel.socket.write(`GET /socket HTTP/1.1\r\nHost: x\r\n${upgrade}`);
    await inTunnel.until("101 Switching Protocols");
    for (const { socket, until } of [plain, inTunnel]) {
      socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
      await until("echo hi");
    }
  });

  test("lets nobody in without its password", async () => {
    const { port } = await aPass();
    const bare = `http://127.0.0.1:${port}`;
    for (const proxy of [bare, `http://openclaw:wrong@127.0.0.1:${port}`, `http://:@127.0.0.1:${port}`]) {
      const { out } = await curl(proxy, "-i", `${site.url}a`);
      expect(out).toStartWith(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=",
      );
      expect((await curl(proxy, "-p", `${site.url}a`)).code).not.toBe(0);
    }
  });

  test("refuses what the rules refuse, says why, and remembers it for the tool", async () => {
    const own = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("secret") });
    cleanUps.push(() => own.stop(true));
    const resolve = async (name: string) =>
      name === "rebound.test" ? ["93.184.216.34", "169.254.169.254"] : ["127.0.0.1"];
    const pass = await aPass({ ownPort: () => own.port, resolve });
    const targets = [
      "169.254.169.254:80",
      "[fd00:ec2::254]:80",
      "metadata.google.internal:80",
      "0.0.0.0:80",
      "rebound.test:80",
      "127.0.0.1:22",
      `127.0.0.1:${own.port}`,
      `127.1:${own.port}`,
      `2130706433:${own.port}`,
      `[::ffff:127.0.0.1]:${own.port}`,
      `name.test:${own.port}`,
      `127.0.0.1:${pass.port}`,
    ];
    for (const target of targets) {
      for (const ask of [
        tunnel(pass, target),
        `GET http://${target}/ HTTP/1.1\r\n${credentials(pass)}\r\n\r\n`,
      ]) {
        const answer = await (await aClient(pass, ask)).all();
        expect(answer).toStartWith("HTTP/1.1 403 Forbidden");
        expect(answer).not.toContain("secret");
      }
    }
    // Each once, however often and in whatever spelling it was asked for.
    expect(pass.refusals).toHaveLength(10);
    expect(pass.refusals.join("\n")).toContain("this server itself");
    for (let port = 1; port < 30; port++) {
      await (await aClient(pass, tunnel(pass, `[::]:${port}`))).all();
      await (await aClient(pass, tunnel(pass, `0.0.0.0:${port}`))).all();
    }
    expect(pass.refusals).toHaveLength(20);
  });

  test("refuses private addresses and hosts that are not on the list", async () => {
    const strict = await aPass({ allowPrivateNetwork: false });
    expect((await curl(strict.url, `${site.url}a`)).out).toContain("private network");
    const listed = await aPass({ allowedHosts: [`127.0.0.1:${site.port}`] });
    expect((await curl(listed.url, `${site.url}a`)).out).toContain('"path":"/a"');
    expect((await curl(listed.url, `http://localhost:${site.port}/a`)).out).toContain(
      "OPENCLAW_ALLOWED_HOSTS",
    );
  });

  test.each([
    ["no HTTP", "\x16\x03\x01\x02\0\x01\0\x01\xfc\r\n\r\n"],
    ["a bare line feed in a field", "GET http://a.test/ HTTP/1.1\r\nA: b\nC: d\r\n\r\n"],
    ["a folded field", "GET http://a.test/ HTTP/1.1\r\nA: b\r\n c\r\n\r\n"],
    ["a space before the colon", "GET http://a.test/ HTTP/1.1\r\nHost : b\r\n\r\n"],
    ["a NUL", "GET http://a.test/ HTTP/1.1\r\nA: \0\r\n\r\n"],
    ["a head without end", `GET http://a.test/ HTTP/1.1\r\n${"A: b\r\n".repeat(20_000)}`],
  ])("refuses %s", async (_name, text) => {
    const answer = await (await aClient(await aPass(), text)).all();
    expect(answer === "" || answer.startsWith("HTTP/1.1 400")).toBeTrue();
  });

  test("never uses a connection for a second host", async () => {
    const pass = await aPass();
    let hits = 0;
    const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(`other ${++hits}`) });
    cleanUps.push(() => other.stop(true));
    const ask = (port: number | undefined, path: string) =>
      `GET http://127.0.0.1:${port}${path} HTTP/1.1\r\nConnection: keep-alive\r\n${credentials(pass)}\r\n\r\n`;
    const answer = await (await aClient(pass, ask(site.port, "/one") + ask(other.port, "/two"))).all();
    expect(answer).toContain("Connection: close");
    expect(answer).toContain('"path":"/one"');
    expect(answer).not.toContain("other");
    expect(hits).toBe(0);
  });

  test("ends what is open when the pass is released, its call cancelled, or the server stops", async () => {
    const silent = kept(await aRawServer(() => {}));
    const web = kept(aWeb());
    const stop = new AbortController();
    const released = await web.pass();
    const ends = [() => released.release(), () => stop.abort(), () => web.close()];
    for (const [at, pass] of [released, await web.pass(stop.signal), await web.pass()].entries()) {
      const client = await aClient(pass, tunnel(pass, `127.0.0.1:${silent.port}`));
      await client.until("established");
      await ends[at]?.();
      await client.all();
      if (at < 2) expect((await curl(pass.url, `${site.url}a`)).out).toContain("wants a user");
    }
    await expect(web.pass()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("holds no more than a little for a client that does not read", async () => {
    let sent = 0;
    const block = Buffer.alloc(65_536);
    const stalled = Promise.withResolvers<void>();
    const flood = kept(
      await aRawServer(async (write) => {
        for (let stalls = 0; stalls < 20 && sent < 1e9; sent += block.length) {
          if (write(block)) continue;
          stalls += 1;
          await Bun.sleep(5);
        }
        stalled.resolve();
      }),
    );
    const pass = await aPass();
    const client = await aClient(pass, tunnel(pass, `127.0.0.1:${flood.port}`));
    await client.until("established");
    client.socket.pause();
    client.socket.write("go");
    await stalled.promise;
    expect(sent).toBeLessThan(50_000_000);
    client.socket.destroy();
    await flood.left;
  });

  test("tells a half that has ended, and waits for the other", async () => {
    const { createServer } = await import("node:net");
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      let length = 0;
      socket.on("data", (data) => (length += data.length));
      socket.on("end", () => socket.end(`got ${length}`));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanUps.push(() => server.close());
    const address = server.address();
    const pass = await aPass();
    const client = await aClient(
      pass,
      tunnel(pass, `127.0.0.1:${typeof address === "object" ? address?.port : 0}`),
    );
    await client.until("established");
    client.socket.end(Buffer.alloc(1_000_000));
    expect(await client.all()).toEndWith("got 1000000");
  });
});

describe("startEgressProxy", () => {
  const limited = async (limits: { headMs?: number; idleMs?: number; connections?: number }) => {
    const rules = { allowedHosts: [], allowPrivateNetwork: true, ownPort: () => undefined };
    const net = await createNet(rules, readHostRules([]));
    const proxy = kept(
      await startEgressProxy(net, { headMs: 5000, idleMs: 5000, connections: 100, ...limits }),
    );
    return proxy.pass(new AbortController().signal);
  };

  test("does not wait for a head that never ends", async () => {
    const pass = await limited({ headMs: 50 });
    expect(await (await aClient(pass, "GET http://a.test/ HTTP/1.1\r\n")).all()).toStartWith("HTTP/1.1 400");
  });

  test("ends a connection on which nothing is said, and none on which one side talks", async () => {
    const silent = kept(await aRawServer(() => {}));
    const pass = await limited({ idleMs: 1500 });
    const client = await aClient(pass, tunnel(pass, `127.0.0.1:${silent.port}`));
    await client.until("established");
    const talking = kept(
      await aRawServer(async (write) => {
        for (let n = 0; n < 12; n++) {
          write("tick ");
          await Bun.sleep(150);
        }
        write("done");
      }),
    );
    const listener = await aClient(pass, tunnel(pass, `127.0.0.1:${talking.port}`));
    await listener.until("established");
    listener.socket.write("go");
    await client.all();
    await listener.until("done");
  });

  test("takes no more connections than it may hold", async () => {
    const silent = kept(await aRawServer(() => {}));
    const pass = await limited({ connections: 1 });
    const first = await aClient(pass, tunnel(pass, `127.0.0.1:${silent.port}`));
    await first.until("established");
    expect(await (await aClient(pass, tunnel(pass, `127.0.0.1:${silent.port}`))).all()).toBe("");
  });

  test("lets one pass hold 128 connections", async () => {
    const silent = kept(await aRawServer(() => {}));
    const pass = await limited({ connections: 1000 });
    const many = await Promise.all(
      Array.from({ length: 128 }, () => aClient(pass, tunnel(pass, `127.0.0.1:${silent.port}`))),
    );
    await Promise.all(many.map((client) => client.until("established")));
    expect(await (await aClient(pass, tunnel(pass, `127.0.0.1:${silent.port}`))).all()).toContain("503");
    pass.release();
    await Promise.all(many.map((client) => client.all()));
  });
});
