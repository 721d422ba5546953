import type { Channel, Inbound, Inbox, Taken } from "../../src/channels/channel.ts";

/** One request that a stand-in of a provider was sent. */
export interface Seen {
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

export type Answer = (request: Seen, index: number) => Response | Promise<Response>;

/** A provider's API on loopback: it answers as it is told and writes down what it was asked. */
export function standIn(answer: Answer) {
  const seen: Seen[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const one = { path: pathname, headers: request.headers, body: await request.text() };
      seen.push(one);
      return answer(one, seen.length - 1);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return { url, seen, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** An inbox that writes down what it is handed, knows a delivery again, and fails when it is told to. */
export function noting(fault: () => Error | undefined = () => undefined) {
  const taken: Inbound[] = [];
  const decided: unknown[][] = [];
  const deciders: string[] = [];
  const inbox: Inbox = {
    async take(_: Channel, message): Promise<Taken> {
      const error = fault();
      if (error !== undefined) throw error;
      if (taken.some(({ deliveryId }) => deliveryId === message.deliveryId)) return { kind: "repeated" };
      taken.push(message);
      return { kind: "accepted", turnId: `turn-${taken.length}`, sessionId: message.sessionId };
    },
    async decide(_channel, { senderId, principal }, ...rest) {
      deciders.push(senderId);
      const decision: unknown[] = [principal, ...rest];
      decided.push(decision);
      return `Tool approval recorded: ${decision[1]} = ${decision[2] ? "approved" : "denied"}`;
    },
  };
  return { inbox, taken, decided, deciders };
}

/** What a promise rejects with; `rejects` of `expect` takes up to a second for one that waits for a database. */
export const thrownBy = (promise: Promise<unknown> | undefined): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

/** All channels off. */
export const noChannels = {
  publicUrl: undefined,
  telegramToken: undefined,
  telegramSecret: undefined,
  telegramPolicy: "pairing",
  telegramSenders: [],
  telegramApi: "http://127.0.0.1:1",
  twilioAccount: undefined,
  twilioToken: undefined,
  twilioFrom: undefined,
  twilioApi: "http://127.0.0.1:1",
  smsPolicy: "open",
  smsSenders: [],
  slackToken: undefined,
  slackSecret: undefined,
  slackPolicy: "open",
  slackSenders: [],
  slackApi: "http://127.0.0.1:1",
  webhooks: {},
  webhookSecrets: {},
  replayMs: 86_400_000,
} as const;
