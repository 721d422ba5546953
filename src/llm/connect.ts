const probeMs = 1000;

/** Whether anybody takes a connection at the address. `fetch` does not tell a slow answer from a connection that never came. */
export async function canConnect(endpoint: string): Promise<boolean> {
  const { protocol, hostname, port } = new URL(endpoint);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), probeMs);
  Bun.connect({
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || (protocol === "https:" ? 443 : 80)),
    socket: {
      open(socket) {
        socket.end();
        resolve(true);
      },
      data() {},
      connectError: () => resolve(false),
    },
  }).catch(() => resolve(false));
  return promise.finally(() => clearTimeout(timer));
}

export interface ConnectWatch {
  /** True when it was found that nobody takes the connection. */
  failed(): boolean;
  /** Must be called. */
  end(): void;
}

/** Looks after `ms` without an answer whether there is a connection at all, and calls `fail` when there is none. 0: never. */
export function watchConnect(ms: number, isThere: () => Promise<boolean>, fail: () => void): ConnectWatch {
  let failed = false;
  let ended = ms === 0;
  const look = async () => {
    if ((await isThere()) || ended) return;
    failed = true;
    fail();
  };
  const timer = ended ? undefined : setTimeout(() => void look(), ms);
  return {
    failed: () => failed,
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
