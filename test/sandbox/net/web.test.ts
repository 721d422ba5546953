import { afterAll, describe, expect, test } from "bun:test";
import { aRawServer, aWeb, type WebOptions } from "../a-web.ts";

const cleanUps: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

const kept = <T extends { close(): unknown }>(part: T): T => {
  cleanUps.push(() => part.close());
  return part;
};

function aSite(answer: (url: URL, request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => answer(new URL(request.url), request),
  });
  cleanUps.push(() => server.stop(true));
  return { port: server.port, url: `http://127.0.0.1:${server.port}` };
}

const get = (url: string, options: WebOptions = {}, maxBytes = 100_000) =>
  kept(aWeb(options)).can().get(url, { maxBytes });

const text = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes);

describe("web.get", () => {
  test("answers with what the address said", async () => {
    const site = aSite((url, request) => {
      const names = ["host", "accept-encoding", "cookie", "authorization"];
      const said = names.map((name) => request.headers.get(name));
      return new Response(JSON.stringify([url.pathname + url.search, ...said]), {
        status: 418,
        headers: { "content-type": 'Text/Plain; Charset="UTF-8"; x=y' },
      });
    });
    const found = await get(`${site.url}/a%20b?c=d#e`);
    expect(found).toMatchObject({
      url: `${site.url}/a%20b?c=d`,
      status: 418,
      contentType: "text/plain",
      charset: "UTF-8",
      cut: false,
    });
    expect(JSON.parse(text(found))).toEqual(["/a%20b?c=d", site.url.slice(7), "gzip, br", null, null]);
  });

  test("connects to the address that was checked, and tells the server the name", async () => {
    const site = aSite((_, request) => new Response(request.headers.get("host")));
    const asked: string[] = [];
    const resolve = async (name: string) => {
      asked.push(name);
      return ["127.0.0.1"];
    };
    expect(text(await get(`http://no-such.test:${site.port}/`, { resolve }))).toBe(
      `no-such.test:${site.port}`,
    );
    expect(asked).toEqual(["no-such.test"]);
  });

  test("tries the next address of a host that does not answer at the first", async () => {
    const site = aSite(() => new Response("here"));
    const resolve = async () => ["127.0.0.99", "127.0.0.1"];
    expect(text(await get(`http://two.test:${site.port}/`, { resolve }))).toBe("here");
  });

  test("checks a name again at each redirect, so that one which changes its address gains nothing", async () => {
    let hits = 0;
    const site = aSite((url) => {
      hits += 1;
      return Response.redirect(`http://rebind.test:${url.port}/again`);
    });
    const answers = [["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1"]];
    const resolve = async () => answers.shift() ?? [];
    await expect(get(`http://rebind.test:${site.port}/`, { resolve })).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(hits).toBe(1);
  });

  test.each([
    ["http://169.254.169.254/latest/meta-data/", "forbidden"],
    ["http://metadata.google.internal/", "forbidden"],
    ["http://[fd00:ec2::254]/", "forbidden"],
    ["http://0.0.0.0/", "forbidden"],
    ["http://127.0.0.1:25/", "forbidden"],
    ["file:///etc/passwd", "forbidden"],
    ["data:text/html,hi", "forbidden"],
    ["http://a:b@127.0.0.1/", "bad_request"],
    ["http://", "bad_request"],
  ])("refuses a redirect to %s", async (location, code) => {
    const site = aSite(() => new Response(null, { status: 302, headers: { location } }));
    await expect(get(site.url)).rejects.toMatchObject({ code });
  });

  test("refuses a redirect out of the hosts that are allowed", async () => {
    const other = aSite(() => new Response("never"));
    const site = aSite(() => Response.redirect(`http://localhost:${other.port}/`));
    await expect(get(site.url, { allowedHosts: ["127.0.0.1"] })).rejects.toMatchObject({ code: "forbidden" });
  });

  test("never reaches this server itself, however its address is spelled or redirected to", async () => {
    let hits = 0;
    const own = aSite(() => {
      hits += 1;
      return new Response("secret");
    });
    const site = aSite(() => Response.redirect(`http://127.9.9.9:${own.port}/`));
    const ownPort = () => own.port;
    for (const host of [
      "127.0.0.1",
      "localhost",
      "127.1",
      "[::1]",
      "[::ffff:7f00:1]",
      "2130706433",
      "0x7f.1",
    ]) {
      await expect(get(`http://${host}:${own.port}/`, { ownPort })).rejects.toMatchObject({
        code: "forbidden",
      });
    }
    await expect(get(site.url, { ownPort })).rejects.toMatchObject({ code: "forbidden" });
    expect(hits).toBe(0);
  });

  test("follows five redirects and no more", async () => {
    const site = aSite((url) => {
      const left = Number(url.pathname.slice(1));
      return left === 0 ? new Response("arrived") : Response.redirect(`/${left - 1}`, left % 2 ? 301 : 307);
    });
    expect(await get(`${site.url}/5`)).toMatchObject({ url: `${site.url}/0`, status: 200 });
    await expect(get(`${site.url}/6`)).rejects.toThrow("redirects more than 5 times");
  });

  test("cuts a long body and leaves the rest where it is", async () => {
    const server = kept(
      await aRawServer((write) => {
        write("HTTP/1.1 200 OK\r\n\r\n");
        while (write(Buffer.alloc(65_536, "a")));
      }),
    );
    const found = await get(server.url, {}, 1000);
    expect(found.cut).toBeTrue();
    expect(text(found)).toBe("a".repeat(1000));
    await server.left;
  });

  test("unpacks what is packed, and no bomb past its limit", async () => {
    const bomb = Bun.gzipSync(Buffer.alloc(200_000_000));
    const small = Bun.gzipSync(Buffer.from("hello"));
    const site = aSite((url) => {
      const packed = url.pathname === "/bomb" ? bomb : small;
      const broken = url.pathname === "/broken" ? packed.slice(0, -9) : packed;
      const encoding = url.pathname === "/twice" ? "gzip, gzip" : "gzip";
      return new Response(broken, { headers: { "content-encoding": encoding } });
    });
    expect(text(await get(`${site.url}/small`))).toBe("hello");
    const before = process.memoryUsage.rss();
    expect(await get(`${site.url}/bomb`)).toMatchObject({ cut: true, bytes: { length: 100_000 } });
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
    await expect(get(`${site.url}/twice`)).rejects.toMatchObject({ code: "unsupported_media_type" });
    await expect(get(`${site.url}/broken`)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("gives up on a server that is slow, and leaves it", async () => {
    const drip = kept(
      await aRawServer(async (write) => {
        write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        for (let n = 0; n < 10_000 && write("a"); n++) await Bun.sleep(5);
      }),
    );
    const silent = kept(await aRawServer(() => {}));
    const given = { timeoutMs: 1000 };
    const asked = [drip, silent].map(({ url }) => get(url, given).catch((error: unknown) => error));
    const [slow, none] = await Promise.all(asked);
    expect(slow).toMatchObject({ message: expect.stringContaining("took longer than 1 seconds") });
    expect(none).toMatchObject({ code: "unavailable" });
    await Promise.all([drip.left, silent.left]);
  });

  test("refuses an answer that goes over to another protocol, and leaves the server", async () => {
    const site = kept(
      await aRawServer((write) => {
        write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nxxx");
      }),
    );
    await expect(get(site.url)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("did not answer in HTTP"),
    });
    await site.left;
  });

  test("ends in the middle when the call is cancelled", async () => {
    const stop = new AbortController();
    const server = kept(
      await aRawServer(async (write) => {
        write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        await Bun.sleep(50);
        stop.abort();
      }),
    );
    const found = kept(aWeb()).can(stop.signal).get(server.url, { maxBytes: 100 });
    await expect(found).rejects.toMatchObject({ code: "cancelled" });
    await server.left;
  });

  test.each([
    ["a head without end", (n: number) => `X-${n}: ${"a".repeat(30_000)}\r\n`],
    ["a line without end", () => "a".repeat(30_000)],
  ])("refuses %s", async (_name, line) => {
    const server = kept(
      await aRawServer((write) => {
        write("HTTP/1.1 200 OK\r\n");
        for (let n = 0; n < 100; n++) write(line(n));
      }),
    );
    await expect(get(server.url, { timeoutMs: 5000 })).rejects.toThrow("did not answer in HTTP");
    await server.left;
  });

  test.each(["SSH-2.0-OpenSSH_9.2\r\n\r\n", "+OK\r\n", "HTTP/9.9 hello\r\n\r\n", "\0\0\0\0\r\n\r\n"])(
    "says of %p that it is no HTTP",
    async (said) => {
      const server = kept(await aRawServer((write) => void write(said)));
      await expect(get(server.url, { timeoutMs: 500 })).rejects.toMatchObject({ code: "unavailable" });
    },
  );

  test("says that nobody answers", async () => {
    const server = await aRawServer(() => {});
    server.close();
    await expect(get(server.url)).rejects.toThrow("it does not answer");
  });
});

describe("web.page", () => {
  test("ends a page that is made to never end", async () => {
    const html = "<b>".repeat(100_000);
    const started = performance.now();
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    await expect(kept(aWeb()).can(stop.signal).page(html, "http://example.com/")).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
