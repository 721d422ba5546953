/** One call of the Bot API as it arrived. */
export interface BotCall {
  readonly method: string;
  readonly body: Record<string, unknown>;
}

type Answer = (call: BotCall) => object | Response | Promise<object | Response>;

/** Says no as the Bot API does. */
export const refuse = (error_code: number, description: string, parameters: object = {}) =>
  Response.json({ ok: false, error_code, description, parameters }, { status: error_code });

export const botToken = "4711:stand-in-token";

/** A Bot API over HTTP whose answers are scripted; everything else is granted. */
export function startBotApi() {
  const calls: BotCall[] = [];
  const answers = new Map<string, Answer[]>();
  const waiting = new Set<() => void>();
  /** What is downloaded, by the last part of its path; else ten bytes. */
  const files = new Map<string, BodyInit>();
  let lastId = 100;

  const usual: Record<string, Answer> = {
    getMe: () => ({ id: 4711, is_bot: true, first_name: "Claw", username: "ClawBot" }),
    getWebhookInfo: () => ({ url: "", pending_update_count: 0 }),
    getUpdates: () => [],
    sendMessage: () => ({ message_id: ++lastId }),
    sendPhoto: () => ({ message_id: ++lastId }),
    editMessageText: ({ body }) => ({ message_id: body.message_id }),
  };

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 30,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith(`/file/bot${botToken}/`))
        return new Response(files.get(pathname.split("/").at(-1) ?? "") ?? "0123456789");
      const method = pathname.slice(`/bot${botToken}/`.length);
      const text = await request.text();
      const call = { method, body: text === "" ? {} : JSON.parse(text) };
      const answer = answers.get(method)?.shift() ?? usual[method] ?? (() => ({}));
      calls.push(call);
      for (const look of waiting) look();
      const result = await answer(call);
      return result instanceof Response ? result : Response.json({ ok: true, result });
    },
  });

  const of = (method: string) => calls.filter((call) => call.method === method);
  return {
    url: `http://127.0.0.1:${server.port}`,
    calls,
    files,
    of,
    /** The next answers of a method. */
    script(method: string, ...next: Answer[]) {
      answers.set(method, [...(answers.get(method) ?? []), ...next]);
    },
    /** The calls of a method, once there are so many. */
    async seen(method: string, times = 1): Promise<BotCall[]> {
      while (of(method).length < times) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        await promise;
        waiting.delete(resolve);
      }
      return of(method);
    },
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** A private message of Ada's. */
export const aMessage = (more: object = {}) => ({
  message_id: 5,
  date: 1,
  from: { id: 7, is_bot: false, first_name: "Ada" },
  chat: { id: 7, type: "private" },
  text: "Hello",
  ...more,
});
