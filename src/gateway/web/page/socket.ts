import * as v from "valibot";
import { Envelope, type Frame, ResponseFrame } from "./wire.ts";

export type Reply =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

export interface SocketOptions {
  readonly url: string;
  /** How long a request may be without an answer before the connection counts as lost; 15 s. */
  readonly silenceMs?: number;
  onOpen(): void;
  onEnvelope(envelope: Envelope): void;
  /** The connection is gone. False: do not try again. */
  onLost(closeCode: number): boolean | Promise<boolean>;
}

export interface Socket {
  /** False when there is no open connection: the frame was not sent. */
  send(frame: Frame): boolean;
  /** Asks for an operation; a lost connection or too long a silence is a reply too, with the code `unavailable`. */
  request(method: string, params: object): Promise<Reply>;
  /** Tries at once instead of at the end of the wait, and finds out whether a connection that looks open is. */
  probe(): void;
  close(): void;
}

const defaultSilenceMs = 15_000;
const firstWaitMs = 500;
const longestWaitMs = 10_000;
/** Too many connections or messages: who comes back at once is sent away again. */
const closedByPolicy = 1008;
const closedAbnormally = 1006;
const patientAttempt = 4;

const lost: Reply = { ok: false, code: "unavailable", message: "The connection to the server was lost." };

/** Doubling waits with half of each at random, so that many pages do not come back at one moment. */
export const waitBefore = (attempt: number, random: number) =>
  Math.min(longestWaitMs, firstWaitMs * 2 ** attempt) * (0.5 + random / 2);

function readFrame(data: unknown): unknown {
  if (typeof data !== "string") return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** A connection to `/ws` in envelope mode that comes back by itself until it is closed. */
export function openSocket(options: SocketOptions): Socket {
  const waiting = new Map<string, (reply: Reply) => void>();
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let requests = 0;
  let closed = false;

  const isOpen = () => socket?.readyState === WebSocket.OPEN;

  function connect() {
    clearTimeout(timer);
    timer = undefined;
    const current = new WebSocket(options.url, ["openclaw.v1"]);
    socket = current;
    current.onopen = () => options.onOpen();
    current.onmessage = ({ data }) => {
      // Only a server that speaks counts as one that is back.
      attempt = 0;
      receive(readFrame(data));
    };
    current.onclose = ({ code }) => void lose(current, code);
  }

  async function lose(gone: WebSocket, code: number) {
    if (socket !== gone) return;
    socket = undefined;
    for (const answer of waiting.values()) answer(lost);
    if (code === closedByPolicy) attempt = Math.max(attempt, patientAttempt);
    const goOn = !closed && (await options.onLost(code));
    if (goOn && !closed && !socket) timer = setTimeout(connect, waitBefore(attempt++, Math.random()));
  }

  /** Silence on an open connection: a sleeping laptop, a changed network. It may take minutes to close; a new one does better. */
  function abandon(silent: WebSocket | undefined) {
    if (!silent) return;
    silent.onmessage = null;
    silent.close();
    void lose(silent, closedAbnormally);
  }

  function receive(frame: unknown) {
    const response = v.safeParse(ResponseFrame, frame);
    if (response.success) {
      const { id, result, error } = response.output;
      waiting.get(id)?.(error ? { ok: false, ...error } : { ok: true, result });
      return;
    }
    // A type that this page does not know is of a newer server: left out.
    const envelope = v.safeParse(Envelope, frame);
    if (envelope.success) options.onEnvelope(envelope.output);
  }

  function send(frame: Frame) {
    if (!isOpen()) return false;
    socket?.send(JSON.stringify(frame));
    return true;
  }

  function request(method: string, params: object): Promise<Reply> {
    const id = String(++requests);
    const { promise, resolve } = Promise.withResolvers<Reply>();
    const answer = (reply: Reply) => {
      clearTimeout(limit);
      waiting.delete(id);
      resolve(reply);
    };
    const asked = socket;
    const limit = setTimeout(() => {
      answer(lost);
      if (asked === socket) abandon(asked);
    }, options.silenceMs ?? defaultSilenceMs);
    waiting.set(id, answer);
    if (!send({ type: "request", id, method, params })) answer(lost);
    return promise;
  }

  function probe() {
    if (isOpen()) void request("status.get", {});
    else if (timer !== undefined) connect();
  }

  connect();
  return {
    send,
    request,
    probe,
    close() {
      closed = true;
      clearTimeout(timer);
      socket?.close(1000);
    },
  };
}
