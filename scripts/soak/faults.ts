import { connect } from "node:net";
import { failCalls } from "../../test/faults/inject.ts";
import type { House } from "./house.ts";
import { type ModelMood, operatorToken, type StandIns } from "./stand-ins.ts";

export interface Fault {
  readonly name: string;
  /** Ends processes, so that it is left out where memory is watched. */
  readonly kills?: true;
  /** Begins it, and resolves to what ends it. */
  begin(house: House, standIns: StandIns): Promise<AsyncDisposable>;
}

const nothing = { async [Symbol.asyncDispose]() {} };

const mood = (name: ModelMood): Fault => ({
  name: `the provider: ${name}`,
  async begin(_, standIns) {
    standIns.setMood(name);
    return {
      async [Symbol.asyncDispose]() {
        standIns.setMood("well");
      },
    };
  },
});

const kill: Fault = {
  name: "SIGKILL",
  kills: true,
  async begin(house) {
    await house.kill();
    return nothing;
  },
};

const handshake = `GET /ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${operatorToken}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
const half = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${operatorToken}\r\nContent-Length: 500\r\n\r\n{"mess`;
const slowClients: Fault = {
  name: "slow clients",
  async begin(house) {
    const port = Number(new URL(await house.url()).port);
    const open = Array.from({ length: 40 }, (_, n) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(n % 2 === 0 ? handshake : half));
      socket.pause();
      socket.on("error", () => {});
      return socket;
    });
    return {
      async [Symbol.asyncDispose]() {
        for (const socket of open) socket.destroy();
      },
    };
  },
};

const disk = (name: string, calls: string, error: string): Fault => ({
  name,
  begin: (house) => failCalls(house.pid(), calls, error),
});

const collectorDown: Fault = {
  name: "the collector is down",
  async begin(_, standIns) {
    await standIns.downCollector();
    return nothing;
  },
};

/** What happens to a server, one of these every ten seconds. */
export const faults: readonly Fault[] = [
  mood("500"),
  kill,
  mood("hang"),
  disk("the disk is full", "pwrite64,pwritev,ftruncate,fallocate", "ENOSPC"),
  mood("cut"),
  kill,
  mood("429"),
  slowClients,
  mood("garbage"),
  disk("fsync fails", "fsync,fdatasync", "EIO"),
  mood("slow"),
  collectorDown,
];
