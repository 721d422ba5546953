import * as v from "valibot";

const Envelope = v.looseObject({ type: v.string() });
export type Envelope = v.InferOutput<typeof Envelope>;

const usualPatienceMs = 15_000;

/** A WebSocket client that speaks envelopes and keeps what it heard. */
export interface EnvelopeClient extends Disposable {
  readonly heard: readonly Envelope[];
  send(envelope: object): void;
  /** The first envelope of this type, or of one of these (and that fits), that was not waited for before; throws when none comes. */
  next(
    type: string | readonly string[],
    fits?: (envelope: Envelope) => boolean,
    patienceMs?: number,
  ): Promise<Envelope>;
  close(): Promise<void>;
}

/** Connects to a server, with the token when there is one. */
export async function connectEnvelopes(url: string, token?: string): Promise<EnvelopeClient> {
  const protocols = token === undefined ? ["openclaw.v1"] : ["openclaw.v1", `bearer.${token}`];
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, protocols);
  const heard: Envelope[] = [];
  const taken = new Set<Envelope>();
  let wake = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let isClosed = false;
  socket.onmessage = ({ data }) => {
    heard.push(v.parse(Envelope, JSON.parse(String(data))));
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  socket.onclose = () => {
    isClosed = true;
    closed.resolve();
    wake.resolve();
  };
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`Cannot connect to ${url}/ws${why}.`));
    const late = setTimeout(() => fail(` in ${usualPatienceMs} ms`), usualPatienceMs);
    socket.onopen = () => {
      clearTimeout(late);
      resolve();
    };
    socket.onerror = () => {
      clearTimeout(late);
      fail("");
    };
  });
  return {
    heard,
    send: (envelope) => socket.send(JSON.stringify(envelope)),
    async next(type, fits = () => true, patienceMs = usualPatienceMs) {
      const types = [type].flat();
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        wake.resolve();
      }, patienceMs);
      using _ = { [Symbol.dispose]: () => clearTimeout(timer) };
      for (;;) {
        const found = heard.find(
          (envelope) => types.includes(envelope.type) && !taken.has(envelope) && fits(envelope),
        );
        if (found !== undefined) {
          taken.add(found);
          return found;
        }
        if (isClosed || isLate) {
          const why = isClosed ? "before the connection was closed" : `in ${patienceMs} ms`;
          throw new Error(
            `No ${types.join(" or ")} came ${why}. Heard: ${heard.map((each) => each.type).join(" ")}`,
          );
        }
        await wake.promise;
      }
    },
    async close() {
      socket.close();
      await closed.promise;
    },
    [Symbol.dispose]() {
      // At once: a server that sleeps answers no farewell.
      isClosed = true;
      wake.resolve();
      socket.close();
    },
  };
}
