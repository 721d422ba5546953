export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A WebSocket client that keeps what it hears until it is asked for. */
export async function openSocket(
  url: string,
  {
    token,
    headers = {},
    protocols,
  }: { token?: string; headers?: Record<string, string>; protocols?: string[] } = {},
) {
  const heard: string[] = [];
  let wake = Promise.withResolvers<void>();
  // Bun's client takes headers; the types of the DOM, which the chat page needs, know none.
  const options: object = {
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    ...(protocols && { protocols }),
  };
  const socket: WebSocket = Reflect.construct(WebSocket, [`${url.replace("http", "ws")}/ws`, options]);
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const opened = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => {
    heard.push(String(data));
    wake.resolve();
  };
  socket.onclose = ({ code, reason }) => {
    closed.resolve({ code, reason });
    opened.reject(new Error(`The connection was refused: ${code} ${reason}`));
  };
  await opened.promise;

  const nextText = async (): Promise<string> => {
    const deadline = setTimeout(() => wake.reject(new Error("Nothing was heard for 15 s.")), 15_000);
    try {
      while (heard.length === 0) {
        await wake.promise;
        wake = Promise.withResolvers();
      }
      return heard.shift() ?? "";
    } finally {
      clearTimeout(deadline);
    }
  };
  const next = async (): Promise<Frame> => JSON.parse(await nextText());
  return {
    socket,
    closed: closed.promise,
    send: (frame: object | string) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    nextText,
    next,
    /** All frames up to and including the first of this type. */
    async until(type: string): Promise<Frame[]> {
      const frames: Frame[] = [];
      do frames.push(await next());
      while (frames.at(-1)?.type !== type);
      return frames;
    },
    /** What was heard and not asked for yet. */
    heard: () => heard.length,
    [Symbol.dispose]: () => socket.close(),
  };
}

export const types = (frames: readonly Frame[]) => frames.map((frame) => frame.type);
