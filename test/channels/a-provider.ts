import { type Channel, DeliveryError, type Piece } from "../../src/channels/channel.ts";

/** What arrived at the provider. */
export interface Arrived {
  readonly key: string;
  readonly recipient: string;
  readonly piece: Piece;
  readonly replaces?: string;
}

/** How the provider answers one request; `hang` never does. */
export type Answer =
  "ok" | "hang" | { readonly status: number; readonly retryAfterMs?: number; readonly final?: boolean };

/** A provider over HTTP that takes what it is told to take, and the channel that speaks to it. */
export function startProvider(answer: (arrived: Arrived, count: number) => Answer = () => "ok") {
  const arrived: Arrived[] = [];
  const tried: Arrived[] = [];
  let waiting: { most: number; resolve: () => void }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const got = (await request.json()) as Arrived;
      tried.push(got);
      const said = answer(got, tried.length);
      if (said === "hang") return new Promise<Response>(() => {});
      if (said !== "ok") return Response.json(said, { status: said.status });
      arrived.push(got);
      waiting = waiting.filter(({ most, resolve }) => {
        if (arrived.length < most) return true;
        resolve();
        return false;
      });
      return Response.json({ id: `m${arrived.length}` });
    },
  });

  const channel: Channel = {
    name: "post",
    policy: "pairing",
    allowedSenders: ["friend"],
    pieces: (text) => text.split("|").map((part) => ({ kind: "text", text: part })),
    async send(sending, signal) {
      const response = await fetch(server.url, { method: "POST", body: JSON.stringify(sending), signal });
      const body = (await response.json()) as { id?: string; retryAfterMs?: number; final?: boolean };
      if (response.ok) return { ...(body.id !== undefined && { id: body.id }) };
      throw new DeliveryError(`The provider said ${response.status}.`, body);
    },
  };

  return {
    channel,
    /** In the order in which they were taken. */
    arrived,
    /** Every request, also those that were refused. */
    tried,
    texts: () => arrived.map(({ piece }) => piece.text),
    /** Resolves when so many were taken. */
    async took(most: number) {
      if (arrived.length >= most) return;
      await new Promise<void>((resolve) => waiting.push({ most, resolve }));
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
