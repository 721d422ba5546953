import { lendBrowser } from "../../src/sandbox/browser/browser.ts";
import { createEgress } from "../../src/sandbox/net/create-egress.ts";
import type { Programs } from "../../src/sandbox/processes/programs.ts";
import { browser } from "../../src/tools/browser.ts";
import { sandboxed, stranger } from "./sandboxed.ts";
import { aCaller, aWorkspace } from "./workspace.ts";

export interface BrowserOptions {
  /** Hosts that pages may come from, such as `127.0.0.1:8080`. */
  readonly allowedHosts: readonly string[];
  readonly allowScript?: boolean;
  readonly idleMs?: number;
  readonly cdpUrl?: string;
  readonly memoryBytes?: number;
  readonly writeRoots?: readonly string[];
  /** False: as if bubblewrap were not there. */
  readonly namespaces?: boolean;
  /** False: the workspace belongs to root, as which no browser is started. */
  readonly hasUser?: boolean;
}

/** The browser tool with a real Chromium in the sandbox of processes, which may reach these hosts alone. */
export async function aBrowser(options: BrowserOptions) {
  const {
    allowScript = false,
    idleMs = 60_000,
    cdpUrl,
    memoryBytes = 2 ** 30,
    namespaces,
    hasUser = true,
  } = options;
  const box = await sandboxed({
    // Chromium passes large things between its processes as files.
    settings: { processFileBytes: 2 ** 28 },
    ...(hasUser && { owner: stranger }),
    ...(namespaces !== undefined && { namespaces }),
  });
  /** What was started, each to be ended as a crash would. */
  const starts: { crash(): Promise<void>; readonly ended: Promise<void> }[] = [];
  const programs: Programs = {
    ...box.programs,
    async launch(spec) {
      const launched = await box.programs.launch(spec);
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      const endAll = () => launched.endAll().then(resolve);
      starts.push({ crash: launched.endAll, ended });
      return { ...launched, endAll };
    },
  };
  const { allowedHosts } = options;
  const egress = createEgress({ allowedHosts, allowPrivateNetwork: true, ownPort: () => 1 });
  const lent = lendBrowser(
    {
      allowBrowserScript: allowScript,
      browserPath: undefined,
      browserCdpUrl: cdpUrl,
      browserIdleMs: idleMs,
      processMemoryBytes: memoryBytes,
      sandbox: "auto",
    },
    { programs, egress },
  );
  const space = aWorkspace({
    tools: [browser],
    lend: { browse: lent.lend },
    // Some machines need long to start Chromium, or to open eight pages at once.
    timeoutMs: 60_000,
    timeoutMaxMs: 60_000,
    ...(options.writeRoots && { writeRoots: options.writeRoots }),
  });
  return {
    starts,
    warnings: lent.warnings,
    work: space.work,
    /** A call of the tool, in a session of this name. */
    call: (input: unknown, session = "session", signal = new AbortController().signal) =>
      space.call("browser", input, { caller: { ...aCaller, sessionId: session }, signal }),
    async [Symbol.asyncDispose]() {
      await lent.close();
      await egress.close();
      await box[Symbol.asyncDispose]();
      space.remove();
    },
  };
}

export type ABrowser = Awaited<ReturnType<typeof aBrowser>>;

/** A site on loopback: pages by their path, and what was asked for. */
export function aSite(
  pages: Readonly<Record<string, string | ((request: Request) => Response | Promise<Response>)>>,
) {
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      asked.push(pathname + search);
      const page = pages[pathname];
      if (page === undefined) return new Response("nothing here", { status: 404 });
      if (typeof page !== "string") return page(request);
      return new Response(`<!doctype html>${page}`, {
        headers: { "content-type": "text/html; charset=utf-8" },
      });
    },
  });
  const host = `127.0.0.1:${server.port}`;
  return { host, url: `http://${host}`, asked, [Symbol.dispose]: () => void server.stop(true) };
}

/** Listens by TCP and UDP and must never hear a thing. */
export async function aCanary() {
  const heard: string[] = [];
  const open = (socket: Bun.Socket) => {
    heard.push("a connection");
    socket.end();
  };
  const hears = { data: () => {}, open };
  const tcp = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: hears });
  const udp = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port: tcp.port,
    socket: { data: () => void heard.push("a datagram") },
  });
  return {
    host: `127.0.0.1:${tcp.port}`,
    port: tcp.port,
    heard,
    [Symbol.dispose]() {
      tcp.stop(true);
      udp.close();
    },
  };
}
